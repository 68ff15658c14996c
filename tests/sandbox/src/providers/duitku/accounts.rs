//! Linked OVO and ShopeePay accounts, by credential code.

use std::collections::BTreeMap;

use crate::provider::Desk;
use crate::tools::rupiah;

/// What is kept beside the orders.
#[derive(Default)]
pub(super) struct Book {
    pub(super) accounts: BTreeMap<String, Account>,
}

/// One account.
pub(super) struct Account {
    /// The project that it is linked to: a credential code of another one is none.
    pub(super) merchant: String,
    pub(super) channel: String,
    pub(super) linked: bool,
    pub(super) cash: i64,
    pub(super) points: i64,
    /// The order that stands for it in the ledger.
    pub(super) order_id: String,
}

/// The account of a credential code.
pub(super) fn find<'a>(
    code: &str,
    merchant: &str,
    channel: &str,
    desk: &'a mut Desk<'_>,
) -> Option<&'a mut Account> {
    let account = desk.own::<Book>().accounts.get_mut(code)?;
    (account.merchant == merchant && account.channel == channel).then_some(account)
}

/// Links an account; one that was linked before keeps its balance.
pub(super) fn link(code: &str, merchant: &str, channel: &str, order_id: &str, desk: &mut Desk<'_>) {
    let opening = |name: &str| rupiah(desk.setting(name)).unwrap_or(0);
    let (cash, points) = (opening("balance_cash"), opening("balance_point"));
    let account = desk.own::<Book>().accounts.entry(code.to_owned()).or_insert_with(|| Account {
        merchant: merchant.to_owned(),
        channel: channel.to_owned(),
        linked: false,
        cash,
        points,
        order_id: order_id.to_owned(),
    });
    account.linked = true;
}
