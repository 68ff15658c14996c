//! What some providers want of a charge and the document's body cannot say, or need not: where the payer
//! returns to, and who pays.

use bayar::journal::Intent;
use serde_json::{Map, Value, json};

use crate::gateway::{Account, Gateway};
use crate::store::apps::App;

/// What stands in the journal instead of what it does not keep.
const MASK: &str = "***";

/// The longest name of an item that providers take, in characters.
const LONGEST_NAME: usize = 50;

/// Fills in what is missing. The same request again must be the same: what was filled in the first time counts,
/// whatever the configuration has become since.
pub(super) fn fill(
    gateway: &Gateway,
    app: &App,
    account: &Account,
    key: &str,
    known: Option<Intent>,
    params: &mut Map<String, Value>,
) {
    // Midtrans' page wants nothing, and returns where its own dashboard says.
    if account.provider == "midtrans" && !params.contains_key("channel") {
        return;
    }
    let first = known.map(|intent| intent.call.map(|call| call.params).unwrap_or_default());
    let mut configured = of_configuration(gateway, app, key);
    // Its pay-later ways want to know what is bought; other providers take the description.
    if account.provider == "duitku" {
        configured["items"] = one_item(params);
    }
    let defaults = match first {
        None => configured,
        Some(first) => readable(first, &configured),
    };
    take(params, &defaults);
}

/// What was filled in the first time, but for what the journal keeps masked: a long phone number may look like
/// a card's.
fn readable(mut first: Value, configured: &Value) -> Value {
    for field in ["/return_url", "/cancel_url", "/customer/name", "/customer/email", "/customer/phone"] {
        if let (Some(kept), Some(now)) = (first.pointer_mut(field), configured.pointer(field))
            && kept.as_str().is_some_and(|text| text.contains(MASK))
        {
            *kept = now.clone();
        }
    }
    first
}

/// Payers come back to the gateway's own page, which knows how the payment stands.
fn of_configuration(gateway: &Gateway, app: &App, key: &str) -> Value {
    let back = gateway.pay.back(&app.code, key);
    let settings = &gateway.settings;
    let mut defaults = json!({"return_url": back, "cancel_url": back, "customer": {}});
    for (field, value) in
        [("name", &settings.payer_name), ("email", &settings.payer_email), ("phone", &settings.payer_phone)]
    {
        if let Some(value) = value {
            defaults["customer"][field] = json!(value);
        }
    }
    defaults
}

/// All of it as one item.
fn one_item(params: &Map<String, Value>) -> Value {
    let name = params.get("description").and_then(Value::as_str).unwrap_or_default();
    let name: String = name.chars().take(LONGEST_NAME).collect();
    json!([{"name": name, "price": params.get("amount"), "quantity": 1}])
}

fn take(params: &mut Map<String, Value>, defaults: &Value) {
    for field in ["return_url", "cancel_url", "items"] {
        // Whoever says one address means it for both.
        let own = if field == "cancel_url" { params.get("return_url").cloned() } else { None };
        let value = Some(defaults[field].clone()).filter(|value| !value.is_null()).or(own);
        if let (false, Some(value)) = (params.contains_key(field), value) {
            params.insert(field.to_owned(), value);
        }
    }
    let Some(fields) = defaults["customer"].as_object().filter(|fields| !fields.is_empty()) else { return };
    let customer = params.entry("customer").or_insert_with(|| json!({}));
    for (field, value) in fields {
        if let Some(customer) = customer.as_object_mut() {
            customer.entry(field).or_insert_with(|| value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(params: Value, defaults: Value) -> Value {
        let Value::Object(mut params) = params else { panic!("{params}") };
        take(&mut params, &defaults);
        Value::Object(params)
    }

    #[test]
    fn what_was_said_stays() {
        let defaults = json!({
            "return_url": "https://pay/back", "cancel_url": "https://pay/back",
            "customer": {"name": "Pelanggan", "email": "kasir@example.com"},
        });
        let said = json!({"return_url": "https://shop/", "customer": {"name": "Budi", "phone": "08"}});
        let expected = json!({
            "return_url": "https://shop/", "cancel_url": "https://pay/back",
            "customer": {"name": "Budi", "phone": "08", "email": "kasir@example.com"},
        });
        assert_eq!(taken(said, defaults.clone()), expected);
        let expected = json!({
            "return_url": "https://pay/back", "cancel_url": "https://pay/back",
            "customer": {"name": "Pelanggan", "email": "kasir@example.com"},
        });
        assert_eq!(taken(json!({}), defaults), expected);
    }

    #[test]
    fn items_are_made_up_only_where_there_are_none() {
        let params = json!({"amount": 150_000, "description": "x".repeat(60)});
        let one = one_item(params.as_object().expect("an object"));
        assert_eq!(one, json!([{"name": "x".repeat(50), "price": 150_000, "quantity": 1}]));
        let given = json!({"items": [{"name": "Hosting", "price": 150_000, "quantity": 1}]});
        assert_eq!(taken(given.clone(), json!({"items": one})), given);
    }

    #[test]
    fn what_the_journal_masks_comes_from_the_configuration() {
        let configured =
            json!({"return_url": "https://two/", "customer": {"phone": "4111111111111111", "name": "B"}});
        let first =
            json!({"return_url": "https://one/", "customer": {"phone": "***", "name": "A", "email": "***"}});
        let expected = json!({
            "return_url": "https://one/", "customer": {"phone": "4111111111111111", "name": "A", "email": "***"},
        });
        assert_eq!(readable(first, &configured), expected);
    }

    #[test]
    fn without_a_configuration_nothing_is_made_up() {
        let none = json!({"return_url": null, "cancel_url": null, "customer": {}});
        assert_eq!(taken(json!({}), none.clone()), json!({}));
        let expected = json!({"return_url": "https://shop/", "cancel_url": "https://shop/"});
        assert_eq!(taken(json!({"return_url": "https://shop/"}), none), expected);
    }
}
