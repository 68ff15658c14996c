//! Cash on delivery after the charge: pickup, area, tracking (document, API dan Parameter Tambahan
//! untuk Payment COD, 2 to 4).

use bayar_provider::jiff::civil::DateTime;
use bayar_provider::{Call, Error, Instruction, Outcome, Response, Status, Step, json, time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::answer::{self, Kind, lower};
use crate::charge::filled;
use crate::settings::Account;
use crate::{State, post};

/// Parameters of `cod_pickup` and `cod_area`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// iPaymu's id of the payment, as the charge gave it.
    provider_reference: String,
}

/// Parameters of `cod_tracking`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WayBill {
    /// The way bill, as the pickup gave it.
    awb: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    account: &'a str,
    transaction_id: &'a str,
}

#[derive(Serialize)]
struct Tracking<'a> {
    awb: &'a str,
}

/// Builds the request of `cod_pickup`: a courier is sent.
pub fn pickup(account: &Account, call: &Call) -> Result<Step<State>, Error> {
    let which: Which = call.read()?;
    let id = filled("provider_reference", &which.provider_reference)?;
    let body = Body { account: &account.account, transaction_id: id };
    let request = post(account, call, "/cod/pickup", &body)?.moving();
    Ok(Step::Send(request, State::Pickup { id: id.to_owned() }))
}

/// Builds the request of `cod_area`. That it wants a transaction is odd, and printed.
pub fn area(account: &Account, call: &Call) -> Result<Step<State>, Error> {
    let which: Which = call.read()?;
    let id = filled("provider_reference", &which.provider_reference)?;
    let body = Body { account: &account.account, transaction_id: id };
    Ok(Step::Send(post(account, call, "/cod/getarea", &body)?, State::Question))
}

/// Builds the request of `cod_tracking`.
pub fn tracking(account: &Account, call: &Call) -> Result<Step<State>, Error> {
    let bill: WayBill = call.read()?;
    let body = Tracking { awb: filled("awb", &bill.awb)? };
    Ok(Step::Send(post(account, call, "/cod/tracking", &body)?, State::Question))
}

/// `data` of `cod_pickup`: what stands on the label, and what the courier is told.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Pickup {
    /// iPaymu's id of the payment.
    #[serde(rename(deserialize = "transactionid"), deserialize_with = "json::text")]
    transaction_id: Option<String>,
    /// The way bill.
    #[serde(deserialize_with = "json::text")]
    awb: Option<String>,
    /// The courier's PIN.
    #[serde(default, deserialize_with = "json::text")]
    pin: Option<String>,
    /// The pickup's code.
    #[serde(default, deserialize_with = "json::text")]
    code: Option<String>,
    /// The delivery's state: `0` on process, `1` waiting for pickup.
    #[serde(default, rename(deserialize = "codstatus"), deserialize_with = "json::text")]
    cod_status: Option<String>,
    /// The same in iPaymu's words.
    #[serde(default, rename(deserialize = "codstatusdesc"), deserialize_with = "json::text")]
    cod_status_text: Option<String>,
}

/// Reads the answer to `cod_pickup`. It must be about this payment.
pub fn read_pickup(response: &Response, id: &str) -> Result<Outcome, Error> {
    let open = |what: &str| answer::open(response, Kind::Act, what);
    let answer = answer::read(response, Kind::Act)?;
    let pickup: Pickup = serde_json::from_value(answer.data).map_err(|_| open("the answer is no pickup"))?;
    if pickup.transaction_id.as_deref() != Some(id) {
        return Err(open("the answer is about another transaction than was asked for"));
    }
    let Some(awb) = pickup.awb.clone().filter(|awb| !awb.is_empty()) else {
        return Err(open("the answer has no way bill"));
    };
    Ok(Outcome {
        provider_reference: pickup.transaction_id.clone(),
        instruction: Some(Instruction::Cod { awb: Some(awb) }),
        data: serde_json::to_value(pickup).ok(),
        raw: answer.raw,
        ..Outcome::answered(Status::Done)
    })
}

/// `data` of `cod_area`.
#[derive(Serialize, JsonSchema)]
pub struct Areas {
    /// Where cash on delivery goes.
    areas: Vec<Area>,
}

/// A village where cash on delivery goes.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Area {
    #[serde(rename(deserialize = "postalcode"), deserialize_with = "json::text")]
    postal_code: Option<String>,
    #[serde(default)]
    village: Option<String>,
    #[serde(default)]
    district: Option<String>,
    #[serde(default)]
    city: Option<String>,
    #[serde(default)]
    province: Option<String>,
}

/// Reads the answer to `cod_area`.
pub fn read_area(response: &Response) -> Result<Outcome, Error> {
    let answer = answer::read(response, Kind::Ask)?;
    let areas = list(&answer.data, "area")
        .ok_or_else(|| answer::open(response, Kind::Ask, "the answer has no list of areas"))?;
    let data = serde_json::to_value(Areas { areas }).ok();
    Ok(Outcome { data, raw: answer.raw, ..Outcome::answered(Status::Done) })
}

/// `data` of `cod_tracking`.
#[derive(Serialize, JsonSchema)]
pub struct Track {
    /// Where the goods have been, as iPaymu lists it.
    tracking: Vec<Place>,
}

/// A station of the goods.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Place {
    /// The courier's code: `WPU`.
    #[serde(deserialize_with = "json::text")]
    status: Option<String>,
    /// The same in words.
    #[serde(default)]
    description: Option<String>,
    /// Where; absent where the courier says `NA`.
    #[serde(default)]
    location: Option<String>,
    /// When, RFC 3339; absent where date and time are of another form than the document's.
    #[serde(default, skip_deserializing)]
    at: Option<String>,
    /// The day as it was given: `Dec 10, 2019`.
    #[serde(default)]
    date: Option<String>,
    /// The time as it was given: `04:34 PM`.
    #[serde(default)]
    time: Option<String>,
}

/// Reads the answer to `cod_tracking`.
pub fn read_tracking(response: &Response) -> Result<Outcome, Error> {
    let answer = answer::read(response, Kind::Ask)?;
    let places: Option<Vec<Place>> = list(&answer.data, "tracking");
    let Some(places) = places else {
        return Err(answer::open(response, Kind::Ask, "the answer has no list of stations"));
    };
    let placed = |place: Place| Place {
        at: moment(place.date.as_deref().unwrap_or_default(), place.time.as_deref().unwrap_or_default()),
        location: place.location.filter(|location| location != "NA"),
        ..place
    };
    let data = serde_json::to_value(Track { tracking: places.into_iter().map(placed).collect() }).ok();
    Ok(Outcome { data, raw: answer.raw, ..Outcome::answered(Status::Done) })
}

/// A list of objects, their names in whatever case.
fn list<T: serde::de::DeserializeOwned>(data: &Value, name: &str) -> Option<Vec<T>> {
    let items = data.get(name)?.as_array()?;
    items.iter().map(|item| serde_json::from_value(lower(item)).ok()).collect()
}

/// `Dec 10, 2019` and `04:34 PM`, in WIB.
fn moment(date: &str, hour: &str) -> Option<String> {
    let civil = DateTime::strptime("%b %d, %Y %I:%M %p", format!("{} {}", date.trim(), hour.trim())).ok()?;
    time::WIB.to_timestamp(civil).ok().map(time::rfc3339_wib)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_documents_moment() {
        assert_eq!(moment("Dec 10, 2019", "04:34 PM").as_deref(), Some("2019-12-10T16:34:00+07:00"));
        assert_eq!(moment("Dec 10, 2019", "12:05 AM").as_deref(), Some("2019-12-10T00:05:00+07:00"));
        for (date, hour) in
            [("", ""), ("Dec 32, 2019", "04:34 PM"), ("2019-12-10", "16:34"), ("Dec 10, 2019", "13:34 PM")]
        {
            assert_eq!(moment(date, hour), None, "{date} {hour}");
        }
    }

    proptest! {
        #[test]
        fn every_minute_is_read(second in 0i64..4_000_000_000) {
            let moment_of = bayar_provider::jiff::Timestamp::from_second(second - second % 60).unwrap();
            let civil = time::WIB.to_datetime(moment_of);
            let (date, hour) = (civil.strftime("%b %d, %Y").to_string(), civil.strftime("%I:%M %p").to_string());
            prop_assert_eq!(moment(&date, &hour), Some(time::rfc3339_wib(moment_of)));
        }

        #[test]
        fn no_text_makes_it_panic(date in any::<String>(), hour in any::<String>()) {
            drop(moment(&date, &hour));
        }
    }
}
