//! Telling people by e-mail that a payment waits for them.
//!
//! A mail names the order, the amount and the reason, and leads to the dashboard; it says nothing of the
//! payer. Applications hear of the same by a callback of theirs, `charge.review`.

use std::sync::Arc;
use std::time::Duration;

use bayar::journal::{Filter, Intent};
use bayar::{Code, Error};
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::{Message, SmtpTransport, Transport};
use tokio::time::timeout;

use crate::config::{Settings, invalid};
use crate::dashboard::ROOT;
use crate::gateway::Gateway;
use crate::store::people::Role;

/// How often is looked for new ones, by one instance at a time.
const EVERY: Duration = Duration::from_secs(10);
const TURN_MS: i64 = 9_000;

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many are told in one mail.
const TOLD: u32 = 50;

/// Checks what the configuration says of mails.
///
/// # Errors
/// [`Code::InvalidConfig`].
pub(crate) fn check(settings: &Settings) -> Result<(), Error> {
    let Some(smtp) = &settings.smtp else { return Ok(()) };
    let url = smtp.expose();
    // The address holds a password: it is not repeated.
    let forms =
        "expected smtps://user:password@host, or smtp://…?tls=required; plain smtp:// only to this machine";
    let host = url.split("://").nth(1).unwrap_or_default().rsplit('@').next().unwrap_or_default();
    let here = ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| host.starts_with(name));
    let sealed = url.starts_with("smtps://") || (url.starts_with("smtp://") && url.contains("tls=required"));
    if !(sealed || here) || SmtpTransport::from_url(url).is_err() {
        return Err(invalid("smtp", format!("cannot be used; {forms}")));
    }
    let Some(from) = &settings.mail_from else {
        return Err(invalid(
            "mail_from",
            "is missing beside smtp; expected an address: Bayar <bayar@example.com>".to_owned(),
        ));
    };
    for (name, address) in
        std::iter::once(("mail_from", from)).chain(settings.mail_to.iter().map(|to| ("mail_to", to)))
    {
        address.parse::<Mailbox>().map_err(|error| invalid(name, format!("holds {address:?}: {error}")))?;
    }
    Ok(())
}

/// Goes on until the gateway stops.
pub(crate) async fn run(gateway: Arc<Gateway>) {
    if gateway.settings.smtp.is_none() {
        return;
    }
    loop {
        let of = Arc::clone(&gateway);
        match gateway.tasks.spawn_blocking(move || tell(&of)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!("a mail about reviews: {error}"),
            Err(error) => tracing::error!("a mail about reviews broke off: {error}"),
        }
        if timeout(EVERY, gateway.stop.cancelled()).await.is_ok() {
            return;
        }
    }
}

/// Tells of those that nobody was told of yet. Where the mail cannot be sent they are told later.
fn tell(gateway: &Gateway) -> Result<(), Error> {
    if !gateway.store.take_turn("review mails", TURN_MS)? {
        return Ok(());
    }
    let filter = Filter { review: true, limit: Some(TOLD), ..Filter::default() };
    let mut new = Vec::new();
    for intent in gateway.journal.intents(&filter)? {
        let review = intent.review.clone().unwrap_or_default();
        if !gateway.store.was_review_told(&intent.id, &review)? {
            new.push(intent);
        }
    }
    if new.is_empty() {
        return Ok(());
    }
    send(gateway, &new)?;
    for intent in &new {
        gateway.store.review_told(&intent.id, intent.review.as_deref().unwrap_or_default())?;
    }
    Ok(())
}

fn send(gateway: &Gateway, new: &[Intent]) -> Result<(), Error> {
    let settings = &gateway.settings;
    let (Some(smtp), Some(from)) = (&settings.smtp, &settings.mail_from) else { return Ok(()) };
    let subject = match new {
        [one] => format!("Bayar: {} waits for a review", one.order_id.as_deref().unwrap_or(&one.reference)),
        _ => format!("Bayar: {} payments wait for a review", new.len()),
    };
    let mut message =
        Message::builder().from(mailbox(from)?).subject(subject).header(ContentType::TEXT_PLAIN);
    for to in recipients(gateway)? {
        message = message.to(mailbox(&to)?);
    }
    let message = message.body(text(settings, new)).map_err(|error| unsent(&error.to_string()))?;
    let server = SmtpTransport::from_url(smtp.expose()).map_err(|_| unsent("gateway.smtp cannot be used"))?;
    let sent = server.timeout(Some(PATIENCE)).build().send(&message);
    sent.map(drop).map_err(|error| unsent(&error.to_string()))
}

/// Whom the configuration names, else everybody who may decide.
fn recipients(gateway: &Gateway) -> Result<Vec<String>, Error> {
    if !gateway.settings.mail_to.is_empty() {
        return Ok(gateway.settings.mail_to.clone());
    }
    let may_decide = gateway
        .store
        .people()?
        .into_iter()
        .filter(|person| person.joined && person.disabled_ms.is_none() && person.role >= Role::Operator);
    let all: Vec<String> = may_decide.map(|person| person.email).collect();
    if all.is_empty() { Err(unsent("nobody may decide reviews yet, and mail_to is empty")) } else { Ok(all) }
}

fn text(settings: &Settings, new: &[Intent]) -> String {
    let base = settings.public_url.clone().unwrap_or_else(|| format!("http://{}", settings.listen));
    let base = base.trim_end_matches('/');
    let mut text = String::from("Menunggu keputusan orang / these wait for a person:\n");
    for intent in new {
        let amount =
            intent.payable_amount.or(intent.amount).map(crate::dashboard::rupiah).unwrap_or_default();
        text.push_str(&format!(
            "\n{} ({}), {amount}\n{}\n{base}{ROOT}/reviews/{}\n",
            intent.order_id.as_deref().unwrap_or(&intent.reference),
            intent.account,
            intent.review.as_deref().unwrap_or_default(),
            intent.id,
        ));
    }
    text
}

fn mailbox(address: &str) -> Result<Mailbox, Error> {
    address.parse().map_err(|error| unsent(&format!("{address:?} is no address: {error}")))
}

fn unsent(why: &str) -> Error {
    Error::not_sent(Code::Internal, format!("no mail was sent: {why}; it is tried again"))
}

#[cfg(test)]
mod tests {
    use bayar_provider::Secret;

    use super::*;

    #[test]
    fn mails_are_not_sent_in_the_clear() {
        let refused = |url: &str, from: Option<&str>| {
            let smtp = Some(Secret::new(url));
            let settings = Settings { smtp, mail_from: from.map(str::to_owned), ..Settings::default() };
            check(&settings).err().and_then(|error| error.field)
        };
        let from = Some("Bayar <bayar@example.com>");
        for url in [
            "smtps://u:p@mail.example.com",
            "smtp://u:p@mail.example.com?tls=required",
            "smtp://127.0.0.1:2525",
        ] {
            assert_eq!(refused(url, from), None, "{url}");
        }
        for url in [
            "smtp://u:p@mail.example.com",
            "smtp://mail.example.com?tls=opportunistic",
            "mail.example.com",
            "",
        ] {
            assert_eq!(refused(url, from).as_deref(), Some("gateway.smtp"), "{url}");
        }
        assert_eq!(refused("smtps://mail.example.com", None).as_deref(), Some("gateway.mail_from"));
        assert_eq!(refused("smtps://mail.example.com", Some("nobody")).as_deref(), Some("gateway.mail_from"));
    }
}
