//! What one client of `bayar daemon` asks, and what it is answered: the C ABI's documents with
//! the C ABI's status.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bayar::{Callback, Code, Engine, Error};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::message::Message;
use crate::records;

/// The version of what is spoken. Within it, requests are only added.
const PROTOCOL: u32 = 1;

/// The version of the C ABI whose documents these are.
const ABI: u32 = 1;

/// One client.
pub struct Conversation {
    engine: Option<Engine>,
    /// Whether the client may bring the configuration.
    may_open: bool,
}

/// A request.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Ask {
    /// Who is there.
    Hello { protocol: u32 },
    /// The configuration, where the command line names none.
    Open { config: String },
    /// An operation of an account.
    Call {
        account: String,
        operation: String,
        #[serde(default)]
        params: Value,
    },
    /// A callback, its body beside.
    Callback { account: String, envelope: Callback },
    /// What an account, or everything, can do.
    Describe {
        #[serde(default)]
        account: Option<String>,
    },
    /// The log records of this client's calls since the last time.
    DrainLog {},
}

/// What is answered.
#[derive(Serialize)]
pub struct Answer {
    /// 0, or the number of an error, as in `bayar.h`.
    status: i32,
    /// The outcome, the description, or the error.
    document: Value,
}

impl Conversation {
    /// One with an engine that is open.
    pub fn with(engine: Engine) -> Self {
        Conversation { engine: Some(engine), may_open: false }
    }

    /// One whose client brings the configuration first.
    pub fn without_engine() -> Self {
        Conversation { engine: None, may_open: true }
    }

    /// Answers one message.
    pub fn answer(&mut self, message: Message) -> Answer {
        // A defect of ours ends one answer and no other client's.
        let answered = catch_unwind(AssertUnwindSafe(|| self.attend(message)));
        match answered.unwrap_or_else(|panic| Err(of_panic(panic.as_ref()))) {
            Ok(document) => Answer { status: 0, document },
            Err(error) => Answer::of(&error),
        }
    }

    fn attend(&mut self, message: Message) -> Result<Value, Error> {
        let value = bayar::strict_json(&message.document).map_err(|e| unreadable(&e))?;
        let ask: Ask = serde_json::from_value(value).map_err(|e| unreadable(&e))?;
        match ask {
            Ask::Hello { protocol: PROTOCOL } => {
                let pid = std::process::id();
                Ok(json!({"protocol": PROTOCOL, "version": bayar::VERSION, "abi": ABI, "pid": pid}))
            }
            Ask::Hello { protocol } => {
                let what = format!("the client speaks protocol {protocol}, this daemon {PROTOCOL}");
                Err(Error::not_sent(Code::AbiMismatch, what))
            }
            Ask::Open { config } => self.open(&config),
            Ask::Call { account, operation, params } => {
                let params = if params.is_null() { json!({}) } else { params };
                document(&self.engine()?.call(&account, &operation, params)?)
            }
            Ask::Callback { account, envelope } => {
                let callback = Callback { body: message.body, ..envelope };
                document(&self.engine()?.callback(&account, callback)?)
            }
            Ask::Describe { account } => self.engine()?.describe(account.as_deref()),
            Ask::DrainLog {} => {
                let redact = |text: &str| match &self.engine {
                    Some(engine) => engine.redact(text).into_owned(),
                    None => text.to_owned(),
                };
                document(&records::take(redact))
            }
        }
    }

    fn open(&mut self, config: &str) -> Result<Value, Error> {
        if !self.may_open || self.engine.is_some() {
            let what = "the engine of this conversation is open; its configuration was named before";
            return Err(Error::not_sent(Code::InvalidArgument, what));
        }
        self.engine = Some(Engine::open(config)?);
        Ok(json!({}))
    }

    fn engine(&self) -> Result<&Engine, Error> {
        self.engine.as_ref().ok_or_else(|| {
            let what = "no configuration was named: start with --config FILE, or ask to \"open\" one first";
            Error::not_sent(Code::InvalidArgument, what)
        })
    }
}

impl Answer {
    /// An error.
    pub fn of(error: &Error) -> Self {
        Answer { status: error.code as i32, document: json!(error) }
    }
}

fn document(value: &impl Serialize) -> Result<Value, Error> {
    serde_json::to_value(value).map_err(|e| Error::not_sent(Code::Internal, format!("a document: {e}")))
}

fn unreadable(why: &dyn std::fmt::Display) -> Error {
    Error::not_sent(Code::InvalidArgument, format!("the request cannot be read: {why}"))
}

fn of_panic(panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic");
    // It may have been at any point.
    Error::not_sent(Code::Internal, text).at(bayar::Stage::MaybeSent, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(conversation: &mut Conversation, document: Value) -> Value {
        let message = Message { document: document.to_string().into_bytes(), body: Vec::new() };
        json!(conversation.answer(message))
    }

    fn open() -> Conversation {
        let engine = Engine::open(r#"{"engine": {"journal": "none"}}"#).expect("it needs nothing");
        Conversation::with(engine)
    }

    #[test]
    fn hello_names_the_versions_and_refuses_another_protocol() {
        let mut conversation = open();
        let hello = ask(&mut conversation, json!({"do": "hello", "protocol": 1}));
        assert_eq!((&hello["status"], &hello["document"]["abi"]), (&json!(0), &json!(1)));
        let refused = ask(&mut conversation, json!({"do": "hello", "protocol": 2}));
        assert_eq!(refused["document"]["code"], "abi_mismatch");
    }

    #[test]
    fn a_call_gives_the_documents_and_numbers_of_the_c_abi() {
        let mut conversation = open();
        let done = ask(&mut conversation, json!({"do": "call", "account": "bayar", "operation": "doctor"}));
        assert_eq!((&done["status"], &done["document"]["status"]), (&json!(0), &json!("done")));
        let refused = ask(
            &mut conversation,
            json!({"do": "call", "account": "nobody", "operation": "charge", "params": {}}),
        );
        assert_eq!(
            (&refused["status"], &refused["document"]["code"]),
            (&json!(-5), &json!("unknown_account"))
        );
    }

    #[test]
    fn what_cannot_be_read_is_refused_and_the_conversation_goes_on() {
        let mut conversation = open();
        for wrong in [json!([]), json!({"do": "dance"}), json!({"do": "call", "account": 1})] {
            assert_eq!(ask(&mut conversation, wrong)["document"]["code"], "invalid_argument");
        }
        assert_eq!(ask(&mut conversation, json!({"do": "describe"}))["status"], 0);
    }

    #[test]
    fn only_a_client_without_a_configuration_brings_one_and_only_once() {
        let config = json!({"do": "open", "config": r#"{"engine": {"journal": "none"}}"#});
        assert_eq!(ask(&mut open(), config.clone())["document"]["code"], "invalid_argument");
        let mut conversation = Conversation::without_engine();
        assert_eq!(ask(&mut conversation, json!({"do": "describe"}))["document"]["code"], "invalid_argument");
        assert_eq!(ask(&mut conversation, config.clone())["status"], 0);
        assert_eq!(ask(&mut conversation, config)["document"]["code"], "invalid_argument");
        assert_eq!(ask(&mut conversation, json!({"do": "describe"}))["status"], 0);
    }
}
