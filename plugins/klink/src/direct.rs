//! The answer to a charge through K-Link's own channels: a virtual account, a card's page, or a
//! manual transfer of an exact amount.
//!
//! Source: part 2 c. The samples are lost; the tables name the fields.

use bayar_provider::{Call, Error, Instruction, Outcome, Response, Rupiah, Status};
use serde_json::Value;

use crate::Due;
use crate::answer::{self, Purpose, content, fields, text};
use crate::channels::Destination;

/// Reads the answer.
pub fn read(
    call: &Call,
    response: &Response,
    due: Due,
    bank: String,
    destination: Option<Destination>,
) -> Result<Outcome, Error> {
    let open = |what| answer::open(response, Purpose::Keyed, what);
    let body = answer::success(response, Purpose::Keyed, None)?;
    let answer = content(&body);
    let field = |name| text(Some(answer), name).or_else(|| text(Some(&body), name));
    if field("order_id").is_some_and(|order| order != call.reference) {
        return Err(open("the answer is about another order than was asked for"));
    }
    // `koneksi` 0: the service behind K-Link was not reached, whatever `status` says.
    if field("koneksi").is_some_and(|koneksi| koneksi != "1") {
        return Err(open("K-Link did not reach the service behind it (koneksi)"));
    }
    let amounts = Amounts::of(&field).ok_or_else(|| open("an amount of the answer is not whole rupiah"))?;
    let mut review = amounts.strangeness(due);
    let instruction = if field("is_va").as_deref() == Some("1") {
        let number = account_number(answer).or_else(|| account_number(&body));
        let number = number.ok_or_else(|| open("the answer has no virtual account number, or several"))?;
        Instruction::VirtualAccount { bank, number, biller_code: None, name: None }
    } else if let Some(url) = field("url_pay") {
        Instruction::Redirect { url, token: None, client_key: None }
    } else if amounts.unique.is_none() && destination.is_none() {
        return Err(open("the answer does not say how to pay"));
    } else if amounts.total.is_none() {
        return Err(open("the answer does not say how much to transfer"));
    } else if let Some(Destination { number, holder, branch }) = destination {
        Instruction::ManualTransfer { bank, number, holder, branch }
    } else {
        // The list was read before the charge and had no account: no document explains this.
        review = Some("a manual transfer, and K-Link's list has no account to transfer to".to_owned());
        Instruction::None
    };
    Ok(Outcome {
        reference: Some(call.reference.clone()),
        provider_reference: field("kd_pay").filter(|id| id != "-"),
        amount: Some(amounts.goods.unwrap_or(due.nominal)),
        payable_amount: Some(amounts.total.unwrap_or(due.total)),
        instruction: Some(instruction),
        review,
        raw: body,
        ..Outcome::answered(Status::Pending)
    })
}

/// What a manual transfer says of its amount; other answers may leave all of it out.
struct Amounts {
    goods: Option<Rupiah>,
    ship: Option<Rupiah>,
    unique: Option<Rupiah>,
    total: Option<Rupiah>,
}

impl Amounts {
    /// What is absent, or `"-"`, is absent; what is there must be whole rupiah.
    fn of(field: &impl Fn(&'static str) -> Option<String>) -> Option<Self> {
        let amount = |name| match field(name).filter(|text| text != "-") {
            None => Some(None),
            Some(text) => Rupiah::from_wire(&Value::from(text)).map(Some),
        };
        Some(Amounts {
            goods: amount("total_belanja")?,
            ship: amount("pay_ship")?,
            unique: amount("kode_unik")?,
            total: amount("total_bayar")?,
        })
    }

    /// What the payer owes is goods, shipping and the unique code, to the rupiah.
    fn strangeness(&self, due: Due) -> Option<String> {
        let expected = due.total.plus(self.unique.unwrap_or_default());
        if self.ship.is_some_and(|ship| ship != due.pay_ship) {
            return Some(format!("the answer names shipping of {}, asked was {}", self.ship?, due.pay_ship));
        }
        let total = self.total?;
        (Some(total) != expected).then(|| {
            let expected = expected.map_or_else(|| "nothing".to_owned(), |sum| sum.to_string());
            format!("the payer is told to pay {total}; amount, shipping and unique code make {expected}")
        })
    }
}

/// The only number in a field that is named after a virtual account: the sample that would say how
/// it is named is lost.
fn account_number(answer: &Value) -> Option<String> {
    let named = |name: &str| {
        let name = name.to_lowercase();
        let word = name.split(|c: char| !c.is_alphanumeric()).any(|word| word == "va");
        name != "is_va" && (word || name == "nova" || name == "vanumber" || name.contains("virtual"))
    };
    let number = |name: &str| text(Some(answer), name).filter(|number| is_number(number));
    let mut numbers = fields(answer).filter(|(name, _)| named(name)).filter_map(|(name, _)| number(name));
    let first = numbers.next()?;
    numbers.all(|other| other == first).then_some(first)
}

fn is_number(text: &str) -> bool {
    (8..=30).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}
