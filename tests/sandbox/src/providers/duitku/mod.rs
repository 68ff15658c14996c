//! Duitku: account link, payment, callback; and of its public documentation invoices, methods
//! and the payment methods beyond linked accounts.
//!
//! From "Duitku Account Link" 1.1 (§ are its chapters), and from Duitku's public documentation
//! and clients where that goes further. Texts that neither prints are ours, in the same shape.

mod accounts;
mod channels;
mod codes;
mod fields;
mod inquiry;
mod link;
mod notify;
mod pages;
mod project;
mod queries;
mod transaction;

use serde_json::json;

use crate::provider::{Act, ActKind, Callback, Desk, Provider, Reply, Request, Setting};

/// The simulator.
pub(crate) struct Simulator;

impl Provider for Simulator {
    fn id(&self) -> &'static str {
        "duitku"
    }

    fn settings(&self) -> &'static [Setting] {
        &[
            Setting { name: "merchant_code", default: "DS00001" },
            Setting { name: "merchant_key", default: "0000000000000000000000000EXAMPLE" },
            // How this project signs pay, status and callback: `md5` as printed, or the public
            // `hmac-sha256`.
            Setting { name: "signature", default: "md5" },
            // A second project, whose digest is always HMAC-SHA256.
            Setting { name: "hmac_merchant_code", default: "DS00002" },
            Setting { name: "hmac_merchant_key", default: "1111111111111111111111111EXAMPLE" },
            // Replaces the `callbackUrl` of requests, where set.
            Setting { name: "callback_url", default: "" },
            // The `public` fields and names, or the nine `printed` ones.
            Setting { name: "callback", default: "public" },
            // Whose table of mandatory fields holds. The `document` wants `customerVaName` always,
            // the `public` refusal of it is one of some channels, and clients leave it empty.
            Setting { name: "mandatory", default: "public" },
            // How long `phoneNumber` may be: 50 publicly, 20 as printed.
            Setting { name: "phone_length", default: "50" },
            // "Maximum Payment exceeded": above what is not said.
            Setting { name: "maximum", default: "1000000000" },
            // What a used `merchantOrderId` meets: `again` or `409`.
            Setting { name: "repeated_order", default: "again" },
            // The `statusCode` of an inquiry that succeeds: `02` and `-100` hide that it did.
            Setting { name: "inquiry_code", default: "00" },
            // The HTTP status of a refusal with a `resultCode`: `200` or `400`.
            Setting { name: "link_refusal", default: "200" },
            // What a newly linked account has, and whether it is told as `number` or `text`.
            Setting { name: "balance_cash", default: "549159" },
            Setting { name: "balance_point", default: "0" },
            Setting { name: "balances", default: "number" },
            // The payer's.
            Setting { name: "pin", default: "123456" },
        ]
    }

    fn config(&self, base: &str, get: &dyn Fn(&str) -> String) -> String {
        let (code, key, signature) = (get("merchant_code"), get("merchant_key"), get("signature"));
        let (hmac_code, hmac_key) = (get("hmac_merchant_code"), get("hmac_merchant_key"));
        format!(
            "[providers.duitku]\n\
             environment = \"sandbox\"\n\
             merchant_code = \"{code}\"\n\
             merchant_key = \"{key}\"\n\
             signature = \"{signature}\"\n\
             base_url = \"{base}\"\n\
             \n\
             [providers.duitku-hmac]\n\
             plugin = \"duitku\"\n\
             environment = \"sandbox\"\n\
             merchant_code = \"{hmac_code}\"\n\
             merchant_key = \"{hmac_key}\"\n\
             signature = \"hmac-sha256\"\n\
             base_url = \"{base}\"\n"
        )
    }

    fn handle(&self, request: &Request, desk: &mut Desk<'_>) -> Reply {
        let segments = request.segments();
        let path: Vec<&str> = segments.iter().map(String::as_str).collect();
        let answer = match path.as_slice() {
            ["pay", reference] => return pages::payment(reference, request, desk),
            ["link", ticket] => return pages::link(ticket, request, desk),
            // The sandbox's path, and the production host's.
            ["accountlinking", "api", "accountlinking", "v1", rest @ ..]
            | ["api", "accountlinking", "v1", rest @ ..] => return link::handle(rest, request, desk),
            ["webapi", "api", "merchant", "v2", "inquiry"] => inquiry::inquiry,
            // The official client asks about invoices at the invoices' host.
            ["webapi", "api", "merchant", "transactionStatus"] | ["api", "merchant", "transactionStatus"] => {
                queries::status
            }
            ["webapi", "api", "merchant", "paymentmethod", "getpaymentmethod"] => queries::methods,
            ["api", "merchant", "createInvoice"] => inquiry::invoice,
            _ => return nowhere(),
        };
        if request.method != "POST" {
            return not_post();
        }
        answer(request, desk).unwrap_or_else(|refusal| refusal.reply())
    }

    fn act(&self, act: &Act, order_id: &str, desk: &mut Desk<'_>) -> Result<(), String> {
        let order = desk.order(order_id).expect("the frame looked it up");
        if order.operation == "link" {
            link::act(act, order_id, desk)
        } else {
            transaction::act(act, order_id, desk)
        }
    }

    fn knows(&self, kind: ActKind) -> bool {
        matches!(kind, ActKind::Paid | ActKind::Failed | ActKind::Expired)
    }

    fn callback(&self, order_id: &str, desk: &Desk<'_>) -> Option<Callback> {
        notify::callback(order_id, desk)
    }

    /// "Our server sends the callback again if yours did not yet catch HTTP 200", at most five
    /// times (public).
    fn retries(&self, status: Option<u16>) -> u32 {
        if status == Some(200) { 0 } else { 5 }
    }

    fn trouble(&self) -> Reply {
        Reply::json(500, &json!({"Message": "An error has occurred."}))
    }
}

/// The answer to a path that does not exist.
fn nowhere() -> Reply {
    fields::Refusal::new(404, "No HTTP resource was found that matches the request URI").reply()
}

/// The answer to any method but POST: 405, "Metode tidak diizinkan" (§8).
fn not_post() -> Reply {
    fields::Refusal::new(405, "The requested resource does not support this http method").reply()
}
