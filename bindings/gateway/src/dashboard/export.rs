//! Lists as CSV, page by page, so that a long one is not held in memory. What a spreadsheet would run as a
//! formula is marked as text.

use bayar::Error;
use bayar::journal::{Filter, Intent};
use jiff::Timestamp;

use super::answer::{Answer, Fault};
use super::show::jakarta;
use super::visit::Visit;
use super::{deliveries, payments};
use crate::gateway::Gateway;
use crate::store::deliveries::Which;
use crate::tell::word;

/// How many rows are made at a time.
const PAGE: u32 = 500;

/// The columns of a list of payments: nothing that says who a payer is.
const PAYMENT: [&str; 15] = [
    "intent",
    "account",
    "environment",
    "provider",
    "operation",
    "app",
    "order_id",
    "reference",
    "provider_reference",
    "amount",
    "payable_amount",
    "state",
    "review",
    "created_at",
    "updated_at",
];

pub(super) fn payments(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let mut filter = Filter { limit: Some(PAGE), ..payments::filter(&visit.query) };
    visit.gateway.store.note(&visit.by(), "export.payments", visit.asked_for(), "")?;
    let next = move |gateway: &Gateway| {
        let intents = gateway.journal.intents(&filter)?;
        if let Some(last) = intents.last() {
            filter.after = Some(last.id.clone());
        }
        Ok(intents.iter().map(|intent| payment(intent).to_vec()).collect())
    };
    Ok(table("payments.csv", &PAYMENT, next))
}

fn payment(intent: &Intent) -> [String; 15] {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    [
        intent.id.clone(),
        intent.account.clone(),
        intent.environment.clone(),
        intent.provider.clone(),
        intent.operation.clone(),
        intent.tenant.clone(),
        text(&intent.order_id),
        intent.reference.clone(),
        text(&intent.provider_reference),
        number(intent.amount),
        number(intent.payable_amount),
        word(intent.state),
        text(&intent.review),
        moment(intent.created_ms),
        moment(intent.updated_ms),
    ]
}

pub(super) fn deliveries(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let mut which = Which { after: None, ..deliveries::which(visit) };
    visit.gateway.store.note(&visit.by(), "export.deliveries", visit.asked_for(), "")?;
    let head = ["event", "app", "type", "intent", "state", "tries", "http_status", "error", "at"];
    let next = move |gateway: &Gateway| {
        let found = gateway.store.deliveries(&which, PAGE)?;
        if let Some(last) = found.last() {
            which.after = Some(last.event.id.clone());
        }
        let row = |one: &crate::store::deliveries::Delivery| {
            vec![
                one.event.id.clone(),
                one.event.app.clone(),
                one.event.kind.clone(),
                one.event.intent.clone(),
                deliveries::word(one.state).to_owned(),
                one.attempts.to_string(),
                one.status.map(|status| status.to_string()).unwrap_or_default(),
                one.error.clone().unwrap_or_default(),
                moment(one.event.at_ms),
            ]
        };
        Ok(found.iter().map(row).collect())
    };
    Ok(table("deliveries.csv", &head, next))
}

pub(super) fn audit(visit: &Visit<'_>) -> Result<Answer, Fault> {
    visit.gateway.store.note(&visit.by(), "export.audit", "", "")?;
    let mut after: Option<String> = None;
    let next = move |gateway: &Gateway| {
        let done = gateway.store.audit(after.as_deref(), PAGE)?;
        if let Some(last) = done.last() {
            after = Some(last.id.clone());
        }
        let row = |one: crate::store::audit::Done| {
            let address = one.address.unwrap_or_default();
            vec![one.id, moment(one.at_ms), one.actor, one.action, one.target, one.detail, address]
        };
        Ok(done.into_iter().map(row).collect())
    };
    Ok(table("audit.csv", &["id", "at", "who", "what", "to", "detail", "from"], next))
}

/// A moment for programs: `2025-11-20T08:30:00.123+07:00`.
fn moment(ms: i64) -> String {
    match Timestamp::from_millisecond(ms) {
        Ok(moment) => moment.to_zoned(jakarta()).strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string(),
        Err(_) => ms.to_string(),
    }
}

/// A table whose rows come page by page; an empty page ends it.
fn table(
    name: &str,
    head: &[&str],
    mut next: impl FnMut(&Gateway) -> Result<Vec<Vec<String>>, Error> + Send + 'static,
) -> Answer {
    let head: Vec<String> = head.iter().map(|name| (*name).to_owned()).collect();
    let mut head = Some(head);
    let pieces = move |gateway: &Gateway| {
        let rows = next(gateway)?;
        // The head stands also over no rows.
        let rows: Vec<Vec<String>> = head.take().into_iter().chain(rows).collect();
        Ok((!rows.is_empty()).then(|| written(rows)))
    };
    Answer::Table { name: name.to_owned(), pieces: Box::new(pieces) }
}

fn written(rows: Vec<Vec<String>>) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    for row in rows {
        writer.write_record(row.into_iter().map(plain)).expect("memory takes every row");
    }
    writer.into_inner().expect("memory takes every row")
}

/// What a spreadsheet would run is text.
fn plain(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_text() {
        let row = ["=1+1", "+62812", "-5", "@x", "\t=1", "a,b", "150000", ""].map(str::to_owned).to_vec();
        let text = String::from_utf8(written(vec![row])).expect("text");
        assert_eq!(text, "'=1+1,'+62812,'-5,'@x,'\t=1,\"a,b\",150000,\n");
        assert_eq!(moment(1_763_600_400_005), "2025-11-20T08:00:00.005+07:00");
    }
}
