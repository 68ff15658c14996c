//! What a plugin says of itself: settings, origins, channels, operations, callbacks.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version of the contract that this crate is: plugins of another major version are refused.
pub const CONTRACT: &str = concat!(env!("CARGO_PKG_VERSION_MAJOR"), ".", env!("CARGO_PKG_VERSION_MINOR"));

/// A plugin's description of itself.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Description {
    /// The plugin's id: directory, library, symbol and configuration.
    pub id: String,
    /// The provider's name for people.
    pub name: String,
    /// The plugin's own version.
    pub version: String,
    /// What it is, in a sentence.
    pub summary: String,
    /// JSON Schema of the settings of an account; secrets carry `writeOnly`.
    pub settings: Value,
    /// The origins that requests may go to under these settings: `https://api.example.com`.
    pub origins: Vec<String>,
    /// What this provider accepts as a reference.
    pub reference: ReferenceRule,
    /// Ways to pay.
    pub channels: Vec<Channel>,
    /// What can be called. What the provider cannot do is not here.
    pub operations: Vec<Operation>,
    /// How callbacks come, if they come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback: Option<CallbackRules>,
}

/// What a provider accepts as the id of an order: letters, digits and some punctuation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReferenceRule {
    /// The greatest length, in characters.
    pub max_length: usize,
    /// Which ASCII punctuation is allowed beside letters and digits.
    pub punctuation: String,
    /// Where this is printed.
    pub source: String,
}

impl ReferenceRule {
    /// Whether a reference is within the rule.
    pub fn allows(&self, reference: &str) -> bool {
        !reference.is_empty()
            && reference.len() <= self.max_length
            && reference.chars().all(|c| c.is_ascii_alphanumeric() || self.punctuation.contains(c))
    }
}

impl std::fmt::Display for ReferenceRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "1 to {} characters of A-Z a-z 0-9", self.max_length)?;
        self.punctuation.chars().try_for_each(|c| write!(f, " {c}"))
    }
}

/// `data` of the unified operation `channels`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Channels {
    /// The ways to pay.
    pub channels: Vec<Channel>,
}

/// One way to pay.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Channel {
    /// What a charge names: `bca_va`.
    pub id: String,
    /// For people.
    pub name: String,
    /// The kind of instruction that the payer gets: `virtual_account`.
    pub kind: String,
}

impl Channel {
    /// A channel.
    pub fn new(id: &str, name: &str, kind: &str) -> Self {
        Channel { id: id.to_owned(), name: name.to_owned(), kind: kind.to_owned() }
    }
}

/// What repeating an operation would do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Moves nothing; may be repeated.
    Read,
    /// Moves money, and the provider keys it by our id.
    Keyed,
    /// Moves money or goods, with no promise against a repeat.
    Once,
    /// Creates something that the payer can pay; a repeat can be paid twice.
    Payable,
    /// Changes something that is not money.
    Change,
}

impl Class {
    /// Whether money or goods move, so that the host must give a key.
    pub fn moves(self) -> bool {
        matches!(self, Class::Keyed | Class::Once | Class::Payable)
    }
}

/// What is known of the provider's treatment of a repeated request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deduplication {
    /// Nothing is promised.
    #[default]
    None,
    /// The document implies it; an unknown one is queried, not resent.
    Claimed,
    /// Documented by the provider or shown in its sandbox; may be resent with the same key.
    Proven,
}

/// Who settles an operation whose outcome is not known.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Settlement {
    /// A read operation, named.
    Read {
        /// Its name.
        operation: String,
    },
    /// A keyed operation, named: repeating it settles the matter.
    Keyed {
        /// Its name.
        operation: String,
    },
    /// The provider's callback.
    Callback,
    /// Nobody: a person must look.
    Nobody,
}

/// One operation.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Operation {
    /// What hosts call it.
    pub name: String,
    /// What it does, in a sentence.
    pub summary: String,
    /// What repeating it would do.
    pub class: Class,
    /// What the provider does with a repeat.
    #[serde(default)]
    pub deduplication: Deduplication,
    /// Who settles an unknown one.
    pub settled: Settlement,
    /// Whether it is about an order that another operation made: a status, a refund.
    #[serde(default)]
    pub about_order: bool,
    /// JSON Schema of the parameters, without those of the engine.
    pub params: Value,
    /// JSON Schema of `data` in the outcome, where the operation answers with data.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub data: Value,
    /// What the host must show or do first, in the languages that the document gives it in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
    /// Which document and section this comes from.
    pub source: String,
}

/// A text that a host must show, or an instruction to it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Notice {
    /// `id` or `en`.
    pub language: String,
    /// The text; `{name}` marks what the host inserts.
    pub text: String,
}

impl Operation {
    /// An operation that takes `P`.
    pub fn new<P: JsonSchema>(
        name: &str,
        class: Class,
        settled: Settlement,
        source: &str,
        summary: &str,
    ) -> Self {
        Operation {
            name: name.to_owned(),
            summary: summary.to_owned(),
            class,
            deduplication: Deduplication::None,
            settled,
            about_order: false,
            params: schema::<P>(),
            data: Value::Null,
            notices: Vec::new(),
            source: source.to_owned(),
        }
    }

    /// States what the provider does with a repeat.
    pub fn deduplicated(self, deduplication: Deduplication) -> Self {
        Operation { deduplication, ..self }
    }

    /// States that it is about an order that another operation made.
    pub fn about_order(self) -> Self {
        Operation { about_order: true, ..self }
    }

    /// Takes parameters out of the description that the operation's type has and this provider refuses. The
    /// type goes on reading them, so that the refusal can say why.
    pub fn without(mut self, params: &[&str]) -> Self {
        if let Some(listed) = self.params.get_mut("properties").and_then(Value::as_object_mut) {
            listed.retain(|name, _| !params.contains(&name.as_str()));
        }
        self
    }

    /// Adds a text that the host must show, or an instruction to it.
    pub fn notice(mut self, language: &str, text: &str) -> Self {
        self.notices.push(Notice { language: language.to_owned(), text: text.to_owned() });
        self
    }

    /// States the form of `data` in the outcome.
    pub fn with_data<D: JsonSchema>(self) -> Self {
        Operation { data: schema::<D>(), ..self }
    }
}

/// How a provider's callbacks come.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CallbackRules {
    /// HTTP methods that it uses.
    pub methods: Vec<String>,
    /// What proves that a callback is genuine, in a sentence.
    pub proof: String,
    /// The read operation that confirms what the signature does not cover, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_by: Option<String>,
    /// Where the callback URL is given to the provider.
    pub registration: String,
    /// Which document and section this comes from.
    pub source: String,
}

/// The JSON Schema of a type, without references, for descriptions.
pub fn schema<T: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    settings.into_generator().into_root_schema_for::<T>().to_value()
}
