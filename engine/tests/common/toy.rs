//! A provider of the tests' own: what its operations do follows from their names, what they
//! conclude from what the server answers.
#![allow(dead_code, reason = "each test uses a part")]

use bayar_provider::schemars::{self, JsonSchema};
use bayar_provider::serde::Deserialize;
use bayar_provider::{
    Acknowledgement, Call, Callback, CallbackRules, Class, Code, Deduplication, Description, Error, Event,
    Evidence, Operation, Outcome, Provider, ReferenceRule, Request, Response, Rupiah, SESSION, Secret,
    Settlement, Status, Step, schema,
};
use serde_json::{Value, json};

pub struct Toy(Settings);

#[derive(Deserialize, JsonSchema, Clone)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub base_url: String,
    #[serde(default)]
    pub secret: Option<Secret>,
    /// Declares a parameter that belongs to the engine.
    #[serde(default)]
    pub declares: Option<String>,
    /// Has no operation that could confirm a callback.
    #[serde(default)]
    pub cannot_confirm: bool,
}

/// What every operation takes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    pub order_id: Option<String>,
    pub amount: Option<Rupiah>,
    pub provider_reference: Option<String>,
}

/// Name, class, and what is known of repeats.
const OPERATIONS: [(&str, Class, Deduplication); 10] = [
    ("charge", Class::Keyed, Deduplication::Proven),
    ("pay", Class::Keyed, Deduplication::Claimed),
    ("transfer", Class::Once, Deduplication::None),
    ("invoice", Class::Payable, Deduplication::None),
    ("status", Class::Read, Deduplication::None),
    ("tweak", Class::Change, Deduplication::None),
    ("wallet", Class::Once, Deduplication::None),
    ("endless", Class::Read, Deduplication::None),
    ("twice", Class::Once, Deduplication::None),
    ("stray", Class::Read, Deduplication::None),
];

impl Provider for Toy {
    type Settings = Settings;
    type State = String;

    fn describe(settings: Option<&Settings>) -> Description {
        let mut operations: Vec<Operation> = OPERATIONS
            .map(|(name, class, deduplication)| {
                Operation::new::<Params>(name, class, Settlement::Nobody, "none", "A toy.")
                    .deduplicated(deduplication)
            })
            .to_vec();
        if let Some(name) = settings.and_then(|s| s.declares.clone()) {
            operations[0].params["properties"][name] = json!({});
        }
        let confirms = !settings.is_some_and(|s| s.cannot_confirm);
        Description {
            id: "toy".to_owned(),
            name: "Toy".to_owned(),
            version: "1.0.0".to_owned(),
            summary: "For tests.".to_owned(),
            settings: schema::<Settings>(),
            origins: settings.map(|s| s.base_url.clone()).into_iter().collect(),
            reference: ReferenceRule {
                max_length: 24,
                punctuation: "-".to_owned(),
                source: "none".to_owned(),
            },
            channels: Vec::new(),
            operations,
            callback: Some(CallbackRules {
                methods: vec!["POST".to_owned()],
                proof: "the body says so".to_owned(),
                confirmed_by: confirms.then(|| "status".to_owned()),
                registration: "none".to_owned(),
                source: "none".to_owned(),
            }),
        }
    }

    fn configure(settings: Settings) -> Result<Self, Error> {
        Ok(Toy(settings))
    }

    fn prepare(&self, call: &Call) -> Result<Step<String>, Error> {
        if call.operation == SESSION {
            return Ok(Step::Send(
                Request::new("POST", format!("{}/login", self.0.base_url)),
                "login".to_owned(),
            ));
        }
        if call.operation == "stray" {
            return Ok(Step::Send(Request::new("GET", "http://127.0.0.2:9/"), "first".to_owned()));
        }
        let params: Params = call.read()?;
        let mut request = Request::new("POST", format!("{}/{}", self.0.base_url, call.operation))
            .header("X-Key", &*call.key_digest)
            .header("X-Nonce", &*call.nonce)
            .body(
                json!({"order": call.reference, "amount": params.amount, "now_ms": call.now_ms})
                    .to_string()
                    .into_bytes(),
            );
        request.moves = !matches!(call.operation.as_str(), "status" | "tweak" | "endless");
        if call.operation == "wallet" {
            let Some(session) = &call.session else { return Ok(Step::NeedsSession) };
            request = request.header("Authorization", session);
        }
        Ok(Step::Send(request, "first".to_owned()))
    }

    fn interpret(&self, call: &Call, state: String, response: &Response) -> Result<Step<String>, Error> {
        let again = Request::new("POST", format!("{}/again", self.0.base_url));
        match (call.operation.as_str(), state.as_str(), response.status) {
            (SESSION, _, 200) => Ok(Step::Session { token: Secret::new(response.text()), expires_in: None }),
            (SESSION, _, _) => Err(Error::new(Code::Unauthorized, "the toy's login was refused")),
            ("wallet", _, 401) => Ok(Step::NeedsSession),
            ("endless", ..) => Ok(Step::Send(again, "again".to_owned())),
            ("twice", "first", _) => Ok(Step::Send(again.moving(), "again".to_owned())),
            (_, _, 200) => conclude(response),
            (_, _, 400) => Err(Error::new(Code::Rejected, response.text())),
            (_, _, status) => Err(Error::new(Code::Protocol, format!("HTTP {status} was not expected"))),
        }
    }

    /// `{"genuine": bool, "evidence": "E0", "order": …, "amount": …, "status": …}`.
    fn verify(&self, callback: &Callback) -> Result<Event, Error> {
        let body: Value =
            serde_json::from_slice(&callback.body).map_err(|_| Error::refused("it is not JSON"))?;
        if body["genuine"] != json!(true) {
            return Err(Error::refused("its body does not say that it is genuine"));
        }
        let evidence = if body["evidence"] == json!("E1") { Evidence::E1 } else { Evidence::E0 };
        let status = serde_json::from_value(body["status"].clone()).unwrap_or(Status::Unknown);
        let acknowledgement = Acknowledgement::json(200, r#"{"ok":true}"#);
        let reference = body["order"].as_str().unwrap_or_default();
        Ok(Event {
            provider_reference: body["id"].as_str().map(str::to_owned),
            amount: Rupiah::from_wire(&body["amount"]),
            review: body["review"].as_str().map(str::to_owned),
            raw: body.clone(),
            ..Event::new(reference, status, evidence, body["order"].to_string(), acknowledgement)
        })
    }
}

fn conclude(response: &Response) -> Result<Step<String>, Error> {
    let body: Value = serde_json::from_slice(&response.body)
        .map_err(|_| Error::new(Code::Protocol, "the answer is not JSON"))?;
    let mut outcome =
        Outcome::answered(serde_json::from_value(body["status"].clone()).unwrap_or(Status::Unknown));
    outcome.reference = body["order"].as_str().map(str::to_owned);
    outcome.provider_reference = body["id"].as_str().map(str::to_owned);
    outcome.amount = Rupiah::from_wire(&body["amount"]);
    outcome.raw = body;
    Ok(Step::Done(outcome))
}
