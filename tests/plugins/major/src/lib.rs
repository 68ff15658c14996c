//! Stands for a plugin of the contract's version 2: another table of functions under the same
//! exported name. (The version that abi_stable records is that of this crate: 2.0.0.)

#![allow(unsafe_code, non_local_definitions, missing_docs, reason = "written by abi_stable's macros")]

use abi_stable::StableAbi;
use abi_stable::library::RootModule;
use abi_stable::package_version_strings;
use abi_stable::prefix_type::PrefixTypeTrait;
use abi_stable::sabi_types::VersionStrings;

/// The table of version 2.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginRef, prefix_fields = PluginPrefix)))]
#[sabi(missing_field(option))]
pub struct Plugin {
    /// Something else.
    #[sabi(last_prefix_field)]
    pub other: extern "C" fn(u32) -> u32,
}

impl RootModule for PluginRef {
    abi_stable::declare_root_module_statics! {PluginRef}
    const BASE_NAME: &'static str = "bayar_provider";
    const NAME: &'static str = "bayar_provider";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}

extern "C" fn other(n: u32) -> u32 {
    n
}

/// The root module.
#[abi_stable::export_root_module]
pub fn root() -> PluginRef {
    Plugin { other }.leak_into_prefix()
}
