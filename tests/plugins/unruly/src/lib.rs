//! A plugin that misbehaves on demand: it panics in the function that its settings name, and
//! logs its own secret.

use bayar_provider::schemars::JsonSchema;
use bayar_provider::serde::Deserialize;
use bayar_provider::{
    Call, Callback, CallbackRules, Class, Description, Error, Event, Nothing, Operation, Outcome, Provider,
    ReferenceRule, Request, Response, Secret, Settlement, Status, Step, log, schema,
};

bayar_provider::export_provider!(Unruly);

struct Unruly(Settings);

/// Where to send, and where to panic.
#[derive(Deserialize, JsonSchema)]
#[serde(crate = "bayar_provider::serde", deny_unknown_fields)]
#[schemars(crate = "bayar_provider::schemars")]
struct Settings {
    /// `describe`, `configure`, `prepare`, `interpret`, `verify` or `release`.
    panic_in: Option<String>,
    /// Where `echo` sends.
    base_url: Option<String>,
    /// Logged on purpose: it must not arrive.
    secret: Option<Secret>,
}

impl Settings {
    fn panic_if_in(&self, function: &str) {
        assert!(self.panic_in.as_deref() != Some(function), "unruly in {function}");
    }
}

impl Provider for Unruly {
    type Settings = Settings;
    type State = ();

    fn describe(settings: Option<&Settings>) -> Description {
        if let Some(settings) = settings {
            settings.panic_if_in("describe");
        }
        let base_url = settings.and_then(|settings| settings.base_url.clone());
        let echo =
            Operation::new::<Nothing>("echo", Class::Read, Settlement::Nobody, "none", "Sends a request.");
        Description {
            id: "unruly".to_owned(),
            name: "Unruly".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "Misbehaves on demand.".to_owned(),
            settings: schema::<Settings>(),
            origins: base_url.into_iter().collect(),
            reference: ReferenceRule {
                max_length: 50,
                punctuation: "-".to_owned(),
                source: "none".to_owned(),
            },
            channels: Vec::new(),
            operations: vec![echo],
            callback: Some(CallbackRules {
                methods: vec!["POST".to_owned()],
                proof: "none".to_owned(),
                confirmed_by: None,
                registration: "none".to_owned(),
                source: "none".to_owned(),
            }),
        }
    }

    fn configure(settings: Settings) -> Result<Self, Error> {
        settings.panic_if_in("configure");
        Ok(Unruly(settings))
    }

    fn prepare(&self, call: &Call) -> Result<Step<()>, Error> {
        self.0.panic_if_in("prepare");
        let secret = self.0.secret.as_ref().map_or("none", Secret::expose);
        log::info!("preparing {} with {secret}", call.operation);
        match &self.0.base_url {
            Some(url) => Ok(Step::Send(Request::new("GET", url), ())),
            None => Ok(Step::Done(Outcome::answered(Status::Done))),
        }
    }

    fn interpret(&self, _: &Call, (): (), _: &Response) -> Result<Step<()>, Error> {
        self.0.panic_if_in("interpret");
        Ok(Step::Done(Outcome::answered(Status::Done)))
    }

    fn verify(&self, _: &Callback) -> Result<Event, Error> {
        self.0.panic_if_in("verify");
        Err(Error::refused("nothing is genuine here"))
    }
}

impl Drop for Unruly {
    fn drop(&mut self) {
        self.0.panic_if_in("release");
    }
}
