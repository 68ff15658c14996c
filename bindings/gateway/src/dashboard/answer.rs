//! What pages answer, and how a browser gets it.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, LOCATION, REFERRER_POLICY, RETRY_AFTER, SET_COOKIE,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use bayar::{Code, Error};
use futures_util::stream;
use maud::{Markup, html};

use super::page;
use super::reasons::foreign;
use super::show::address;
use super::visit::{COOKIE_NAME, Visit};
use super::words::Language;
use super::{ROOT, SIGN_IN};
use crate::gateway::Gateway;
use crate::store::people::Role;

/// What a page answers.
pub(super) enum Answer {
    /// A page.
    Page {
        /// What stands over it.
        title: String,
        /// What stands on it.
        body: Markup,
        /// 200, or what was wrong with the form on it.
        status: StatusCode,
    },
    /// Another page, asked for by GET.
    Go {
        /// Which one.
        to: String,
        /// The session that begins, or an empty text where it ends.
        session: Option<String>,
    },
    /// A table to take away, piece by piece.
    Table {
        /// The name of the file.
        name: String,
        /// What follows; nothing at the end.
        pieces: Pieces,
    },
}

/// What a browser is about to get: a page has its frame.
pub(super) enum Ready {
    Document(StatusCode, Markup),
    Go { to: String, session: Option<String> },
    Table { name: String, pieces: Pieces },
}

/// The pieces of a table, each made on a thread that may block.
pub(super) type Pieces = Box<dyn FnMut(&Gateway) -> Result<Option<Vec<u8>>, Error> + Send>;

/// Why a page was not had.
pub(super) enum Fault {
    /// There is nothing at this address.
    Nowhere,
    /// Nobody is signed in.
    SignedOut,
    /// Whoever is may not.
    Forbidden(Role),
    /// It does not come from a page of ours, or from one of a session that is over.
    Forged,
    /// It is to be asked once more, from a page of ours.
    Again,
    /// The engine or a database says no.
    Failed(Box<Error>),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Fault::Failed(Box::new(error))
    }
}

impl Answer {
    /// A page.
    pub fn page(title: impl Into<String>, body: Markup) -> Result<Answer, Fault> {
        Ok(Answer::Page { title: title.into(), body, status: StatusCode::OK })
    }

    /// A page whose form was refused.
    pub fn refused(title: impl Into<String>, body: Markup) -> Result<Answer, Fault> {
        Ok(Answer::Page { title: title.into(), body, status: StatusCode::UNPROCESSABLE_ENTITY })
    }

    /// Another page; what was done is said there.
    pub fn go(to: &str, said: &str) -> Result<Answer, Fault> {
        let joined = if to.contains('?') { "&" } else { "?" };
        let to = if said.is_empty() { to.to_owned() } else { format!("{to}{joined}said={said}") };
        Ok(Answer::Go { to, session: None })
    }

    /// A page gets the frame that all have.
    pub fn within(self, visit: &Visit<'_>) -> Ready {
        match self {
            Answer::Page { title, body, status } => {
                Ready::Document(status, page::framed(visit, &title, body))
            }
            Answer::Go { to, session } => Ready::Go { to, session },
            Answer::Table { name, pieces } => Ready::Table { name, pieces },
        }
    }
}

impl Ready {
    /// As the browser gets it.
    pub fn into_response(self, gateway: &Arc<Gateway>) -> Response {
        match self {
            Ready::Document(status, document) => html_page(status, document),
            Ready::Go { to, session } => go(&to, session.as_deref()),
            Ready::Table { name, pieces } => table(gateway, &name, pieces),
        }
    }
}

impl Fault {
    /// A fault gets a page of its own, in the frame where somebody is signed in.
    pub fn within(self, visit: &Visit<'_>) -> Result<Ready, Fault> {
        if let Fault::SignedOut = self {
            // What was to be changed is not repeated unasked.
            let back = if visit.changes || visit.path == ROOT { String::new() } else { visit.here() };
            let query = [("to", back.as_str())];
            return Ok(Ready::Go { to: address(SIGN_IN, &query), session: None });
        }
        if visit.session().is_none() {
            return Err(self);
        }
        let (status, title, body) = self.told(visit.language);
        Ok(Answer::Page { title, body, status }.within(visit))
    }

    /// The same where it is not known who asks.
    pub fn into_response(self, language: Language) -> Response {
        if let Fault::Again = self {
            return html_page(StatusCode::OK, page::again(language));
        }
        let (status, title, body) = self.told(language);
        html_page(status, page::bare(language, &title, body))
    }

    fn told(self, language: Language) -> (StatusCode, String, Markup) {
        let say = |english: &'static str, indonesian: &'static str| language.say(english, indonesian);
        let (status, title, text) = match self {
            Fault::Nowhere => (
                StatusCode::NOT_FOUND,
                say("Nothing here", "Tidak ada di sini"),
                say("There is nothing at this address.", "Tidak ada apa-apa di alamat ini."),
            ),
            Fault::Forbidden(least) => {
                let text = match language {
                    Language::English => format!("This takes the role of {}.", language.role(least)),
                    Language::Indonesian => format!("Ini memerlukan peran {}.", language.role(least)),
                };
                let title = say("Not allowed", "Tidak diizinkan").to_owned();
                return (StatusCode::FORBIDDEN, title, html! { p { (text) } });
            }
            Fault::Forged | Fault::SignedOut | Fault::Again => (
                StatusCode::FORBIDDEN,
                say("Nothing was changed", "Tidak ada yang diubah"),
                say(
                    "The form does not come from a page of this session: it may be over. Open the page again and repeat it there.",
                    "Formulir ini bukan dari halaman sesi ini: mungkin sesinya sudah berakhir. Buka lagi halamannya dan ulangi di sana.",
                ),
            ),
            Fault::Failed(error) => {
                let title = say("That did not work", "Tidak berhasil").to_owned();
                return (status_of(&error), title, failure(language, &error));
            }
        };
        (status, title.to_owned(), html! { p { (text) } })
    }
}

/// What the engine said, with whether it may have been sent and what to do.
pub(super) fn failure(language: Language, error: &Error) -> Markup {
    let (message, advice) = (error.message.as_str(), language.advice(error));
    // What a form says of its own fields is in the language of the page; the rest the engine said.
    let (message, advice) = match error.code {
        Code::InvalidParams => (html! { (message) }, html! { (advice) }),
        _ => (foreign(language, message), foreign(language, advice)),
    };
    html! {
        div.notice.bad role="alert" {
            p { strong { (message) } }
            p { (language.stage(error.stage)) " " (advice) }
            p.hint { code { (error.code.as_str()) } }
        }
    }
}

fn status_of(error: &Error) -> StatusCode {
    match error.code {
        Code::InvalidParams => StatusCode::UNPROCESSABLE_ENTITY,
        Code::Conflict | Code::NotPossible | Code::Unsupported => StatusCode::CONFLICT,
        Code::InvalidConfig => StatusCode::FORBIDDEN,
        Code::JournalUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_GATEWAY,
    }
}

/// Too much is under way.
pub(super) fn busy(language: Language) -> Response {
    let text = language.say(
        "The gateway has too much to do. Nothing was changed. Try again after a moment.",
        "Gerbang ini terlalu sibuk. Tidak ada yang diubah. Coba lagi sebentar lagi.",
    );
    let document = page::bare(language, language.say("Too busy", "Terlalu sibuk"), html! { p { (text) } });
    ([(RETRY_AFTER, "2")], html_page(StatusCode::SERVICE_UNAVAILABLE, document)).into_response()
}

fn html_page(status: StatusCode, document: Markup) -> Response {
    (status, Html(document.into_string())).into_response()
}

fn go(to: &str, session: Option<&str>) -> Response {
    let Ok(location) = HeaderValue::from_str(to) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = (StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response();
    if let Some(token) = session {
        // It goes with the browser; when it is over is for the gateway to say.
        let gone = if token.is_empty() { "; Max-Age=0" } else { "" };
        let cookie = format!("{COOKIE_NAME}={token}; Path=/; Secure; HttpOnly; SameSite=Strict{gone}");
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().insert(SET_COOKIE, cookie);
        }
    }
    response
}

fn table(gateway: &Arc<Gateway>, name: &str, pieces: Pieces) -> Response {
    let from = (Arc::clone(gateway), pieces);
    let body = stream::try_unfold(from, async |(gateway, mut pieces)| {
        let (piece, pieces) = gateway
            .look(move |gateway| {
                let piece = pieces(gateway);
                (piece, pieces)
            })
            .await
            .map_err(|problem| std::io::Error::other(problem.message().to_owned()))?;
        let piece = piece.map_err(|error| std::io::Error::other(error.message))?;
        Ok::<_, std::io::Error>(piece.map(|bytes| (Bytes::from(bytes), (gateway, pieces))))
    });
    let disposition = format!("attachment; filename=\"{name}\"");
    let head = [(CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (CONTENT_DISPOSITION, disposition)];
    (head, Body::from_stream(body)).into_response()
}

/// What every answer carries: no script runs, no other site frames it, nothing is kept.
pub(super) async fn headers(mut response: Response) -> Response {
    const ALL: [(HeaderName, &str); 6] = [
        (
            HeaderName::from_static("content-security-policy"),
            "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; \
             frame-ancestors 'none'",
        ),
        (HeaderName::from_static("x-content-type-options"), "nosniff"),
        (HeaderName::from_static("x-frame-options"), "DENY"),
        (REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    let headers = response.headers_mut();
    for (name, value) in ALL {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
