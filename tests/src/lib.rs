//! What the tests of all crates share.
//!
//! A provider's own tests are one line, `bayar_tests::provider!(bayar_midtrans::Midtrans);`, and
//! a directory of case files beside its crate: see [`cases`] for their form and [`promises`]
//! for what holds for every provider.

pub mod account;
pub mod cases;
pub mod postgres;
pub mod promises;
pub mod readme;

/// The tests of one provider: its case files, and one test for each promise that all providers keep.
#[macro_export]
macro_rules! provider {
    ($provider:ty) => {
        $crate::provider! { $provider:
            fn cases_match_their_snapshots => cases::run,
            fn description_is_sound => promises::description,
            fn every_operation_has_a_case => promises::coverage,
            fn the_same_call_gives_the_same_bytes => promises::determinism,
            fn an_undeclared_operation_is_unsupported => promises::undeclared,
            fn a_charge_lists_what_it_takes => promises::charge_fields,
            fn hostile_answers_are_typed_errors => promises::hostile_answers,
            fn forged_callbacks_are_refused => promises::forgeries,
            fn empty_secrets_are_refused => promises::empty_secrets,
            fn secrets_never_come_out => promises::canaries,
            fn the_readme_lists_the_operations => readme::operations,
        }
    };
    ($provider:ty: $(fn $name:ident => $module:ident::$run:ident,)+) => {
        $(
            #[test]
            fn $name() {
                $crate::$module::$run::<$provider>(env!("CARGO_MANIFEST_DIR"));
            }
        )+
    };
}
