//! The parameters of a callback: those of its query and, where it is a POST, of its form.

use bayar_provider::{Callback, form};
use serde_json::Value;

/// Parameters by name, decoded; each name stands once, in query and form together.
pub struct Form(form::Form);

impl Form {
    /// Reads query and form.
    ///
    /// # Errors
    /// A name that stands twice, of which another reader might take the other value; what is not UTF-8.
    pub fn of(callback: &Callback) -> Result<Self, String> {
        let mut both = callback.query.clone().into_bytes();
        if callback.method.eq_ignore_ascii_case("POST") {
            both.push(b'&');
            both.extend_from_slice(callback.body.trim_ascii_end());
        }
        form::strict(&both).map(Form)
    }

    /// A parameter that says something, without the blanks around it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(str::trim).filter(|value| !value.is_empty())
    }

    /// The parameters but one: to be kept.
    pub fn without(&self, name: &str) -> Value {
        let mut all = self.0.to_json();
        if let Some(fields) = all.as_object_mut() {
            fields.retain(|known, _| !known.eq_ignore_ascii_case(name));
        }
        all
    }
}
