//! The parameters of a callback: those of its query and, where it is a POST, of its form.

use std::collections::BTreeMap;

use bayar_provider::Callback;
use percent_encoding::percent_decode_str;

/// Parameters by name, decoded; each name stands once.
pub struct Form(BTreeMap<String, String>);

impl Form {
    /// Reads query and form.
    ///
    /// # Errors
    /// A name that stands twice, of which another reader might take the other value; what is not UTF-8.
    pub fn of(callback: &Callback) -> Result<Self, String> {
        let body = std::str::from_utf8(&callback.body).map_err(|_| "the body is not UTF-8")?;
        let body = if callback.method.eq_ignore_ascii_case("POST") { body.trim_end() } else { "" };
        let mut form = BTreeMap::new();
        let pairs = callback.query.split('&').chain(body.split('&')).filter(|pair| !pair.is_empty());
        for pair in pairs {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if form.insert(decode(name)?, decode(value)?).is_some() {
                return Err("a parameter stands twice".to_owned());
            }
        }
        Ok(Form(form))
    }

    /// A parameter that says something, without the blanks around it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// The parameters but one: to be kept.
    pub fn without(mut self, name: &str) -> BTreeMap<String, String> {
        self.0.remove(name);
        self.0
    }
}

/// `application/x-www-form-urlencoded`: a plus is a blank.
fn decode(text: &str) -> Result<String, String> {
    let text = text.replace('+', " ");
    let decoded = percent_decode_str(&text).decode_utf8().map_err(|_| "a parameter is not UTF-8")?;
    Ok(decoded.into_owned())
}
