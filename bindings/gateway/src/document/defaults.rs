//! What some providers want of a charge and the document's body cannot say, or need not: where the payer
//! returns to, and who pays.

use bayar::Error;
use serde_json::{Map, Value, json};

use crate::gateway::{Account, Gateway};
use crate::store::apps::App;

/// Fills in what is missing. The same request again must be the same: what was filled in the first time counts,
/// whatever the configuration has become since.
pub(super) fn fill(
    gateway: &Gateway,
    app: &App,
    account: &Account,
    key: &str,
    params: &mut Map<String, Value>,
) -> Result<(), Error> {
    // Midtrans' page wants nothing, and returns where its own dashboard says.
    if account.provider == "midtrans" && !params.contains_key("channel") {
        return Ok(());
    }
    let known = gateway.journal.of_key(&app.code, key)?;
    let first = known.map(|intent| intent.call.map(|call| call.params).unwrap_or_default());
    let defaults = first.unwrap_or_else(|| of_configuration(gateway, app, key));
    take(params, &defaults);
    Ok(())
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

fn take(params: &mut Map<String, Value>, defaults: &Value) {
    for field in ["return_url", "cancel_url"] {
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
    fn without_a_configuration_nothing_is_made_up() {
        let none = json!({"return_url": null, "cancel_url": null, "customer": {}});
        assert_eq!(taken(json!({}), none.clone()), json!({}));
        let expected = json!({"return_url": "https://shop/", "cancel_url": "https://shop/"});
        assert_eq!(taken(json!({"return_url": "https://shop/"}), none), expected);
    }
}
