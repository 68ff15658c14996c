//! What an HTTP client is told when there is no outcome: RFC 9457, with the engine's error in it.

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bayar::{Code, Error, Stage};
use serde_json::{Map, Value, json};

/// Why a request did not succeed.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The status of the answer.
    pub status: StatusCode,
    /// The reason, for programs: a code of the engine's, or one of the gateway's own.
    pub code: String,
    /// Code, message, stage, retry, advice and what else the engine says.
    pub members: Map<String, Value>,
    /// After how many seconds trying again makes sense.
    pub retry_after: Option<u32>,
}

impl Problem {
    /// A problem of the gateway's own: nothing was sent.
    pub fn new(status: StatusCode, code: &str, message: impl Into<String>, advice: &str) -> Problem {
        let retry = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        let document = json!({
            "code": code,
            "message": message.into(),
            "stage": Stage::NotSent,
            "retry": retry,
            "advice": advice,
        });
        let Value::Object(members) = document else { unreachable!("it was written as an object") };
        Problem { status, code: code.to_owned(), members, retry_after: None }
    }

    /// Tells after how many seconds to try again.
    pub fn retry_after(self, seconds: u32) -> Problem {
        Problem { retry_after: Some(seconds), ..self }
    }

    /// Names the field concerned.
    pub fn field(mut self, field: &str) -> Problem {
        self.members.insert("field".to_owned(), json!(field));
        self
    }

    /// No application of that code and key.
    pub fn unauthorized() -> Problem {
        Problem::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "the application's code or key is wrong, or the key was revoked",
            "Send X-App-Code and X-Api-Key as the dashboard gave them.",
        )
    }

    /// Something of ours failed that should not.
    pub fn internal(what: &str) -> Problem {
        Problem::from(Error::not_sent(Code::Internal, what))
    }

    /// The message, for people.
    pub fn message(&self) -> &str {
        self.members.get("message").and_then(Value::as_str).unwrap_or_default()
    }

    /// The answer, with another form of body: JSON of this content type.
    pub fn answer(&self, content_type: &'static str, body: &Value) -> Response {
        let mut response = (self.status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Basic realm=\"bayar\", charset=\"UTF-8\"");
            headers.insert(axum::http::header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        let status = status_of(&error);
        // The provider's callbacks are none of an application's business, nor is where things lie here.
        let message = for_outsiders(status, &error);
        let error = Error { acknowledgement: None, message, ..error };
        let Value::Object(members) = json!(error) else { unreachable!("an error is an object") };
        let retry_after = match error.code {
            Code::InProgress => Some(1),
            Code::JournalUnavailable => Some(5),
            _ => None,
        };
        Problem { status, code: error.code.as_str().to_owned(), members, retry_after }
    }
}

/// The message, unless it speaks of this machine: then the log has it.
fn for_outsiders(status: StatusCode, error: &Error) -> String {
    match status {
        StatusCode::SERVICE_UNAVAILABLE => {
            tracing::error!("{error}");
            "the gateway cannot reach what it keeps payments in; its log says why".to_owned()
        }
        StatusCode::INTERNAL_SERVER_ERROR => {
            tracing::error!("{error}");
            "the gateway failed at this request; its log says why".to_owned()
        }
        _ => error.message.clone(),
    }
}

/// What HTTP calls it.
fn status_of(error: &Error) -> StatusCode {
    match error.code {
        Code::InvalidParams => StatusCode::BAD_REQUEST,
        Code::UnknownAccount | Code::Unsupported | Code::OrderNotFound => StatusCode::NOT_FOUND,
        Code::Conflict | Code::InProgress | Code::NotPossible => StatusCode::CONFLICT,
        Code::Rejected => StatusCode::UNPROCESSABLE_ENTITY,
        Code::Timeout => StatusCode::GATEWAY_TIMEOUT,
        // Ours to the provider, not the application's to us.
        Code::Unauthorized
        | Code::Network
        | Code::Tls
        | Code::Protocol
        | Code::OutcomeUnknown
        | Code::ForbiddenOrigin
        | Code::TooManyExchanges => StatusCode::BAD_GATEWAY,
        Code::JournalUnavailable | Code::JournalForked | Code::JournalOpenElsewhere => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = self.members.clone();
        body.insert("type".to_owned(), json!(format!("urn:bayar:problem:{}", self.code)));
        body.insert("title".to_owned(), json!(self.code.replace('_', " ")));
        body.insert("status".to_owned(), json!(self.status.as_u16()));
        body.insert("detail".to_owned(), json!(self.message()));
        self.answer("application/problem+json", &Value::Object(body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_engine_has_a_status() {
        for code in Code::ALL {
            let problem = Problem::from(Error::not_sent(*code, "why"));
            assert!(problem.status.is_client_error() || problem.status.is_server_error(), "{code:?}");
            assert_eq!(problem.code, code.as_str());
            assert_ne!(problem.status, StatusCode::UNAUTHORIZED, "that is about the application's own key");
        }
    }
}
