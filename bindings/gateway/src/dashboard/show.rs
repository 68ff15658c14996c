//! The pieces that pages are made of: money, moments, states, forms, tables.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{TimeZone, offset};
use maud::{Markup, Render, html};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use bayar::journal::State;

use super::visit::Visit;
use super::words::Language;

/// Jakarta time, in which the pages are.
pub(crate) fn jakarta() -> TimeZone {
    TimeZone::fixed(offset(7))
}

/// A moment: `2025-11-20 08:30:12`, in Jakarta time.
pub(super) fn moment(ms: i64) -> String {
    form(ms, "%Y-%m-%d %H:%M:%S")
}

/// A day in Jakarta: `2025-11-20`.
pub(super) fn day(ms: i64) -> String {
    form(ms, "%Y-%m-%d")
}

fn form(ms: i64, how: &str) -> String {
    match Timestamp::from_millisecond(ms) {
        Ok(moment) => moment.to_zoned(jakarta()).strftime(how).to_string(),
        Err(_) => ms.to_string(),
    }
}

/// When a day begins in Jakarta, in milliseconds since 1970-01-01 UTC.
pub(super) fn midnight(day: Date) -> Option<i64> {
    Some(day.to_zoned(jakarta()).ok()?.timestamp().as_millisecond())
}

/// A moment for people and for programs.
pub(super) struct Time(pub i64);

impl Render for Time {
    fn render(&self) -> Markup {
        html! { time datetime=(form(self.0, "%Y-%m-%dT%H:%M:%S%:z")) { (moment(self.0)) } }
    }
}

/// A moment that may not have come.
pub(super) fn maybe_time(ms: Option<i64>, otherwise: &str) -> Markup {
    html! { @match ms { Some(ms) => (Time(ms)), None => (otherwise) } }
}

/// An amount as people write it: `Rp 1.150.000`, with a blank that does not break.
pub(crate) fn rupiah(amount: i64) -> String {
    let sign = if amount < 0 { "−" } else { "" };
    format!("{sign}Rp\u{a0}{}", grouped(amount))
}

/// A number with its thousands set off: `1.150.000`.
pub(super) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('.');
        }
        text.push(digit);
    }
    text
}

/// An amount as people type it, in rupiah: `150000`, `150.000`, `Rp 150.000`.
pub(super) fn read_rupiah(text: &str) -> Option<i64> {
    let text = text.trim();
    let text = text.strip_prefix("Rp").or_else(|| text.strip_prefix("rp")).unwrap_or(text).trim_start();
    let text = text.trim_start_matches(['.', '\u{a0}', ' ']);
    let digits = match text.contains('.') {
        false => text.to_owned(),
        // Thousands, and nothing else: in "1.50" somebody means something that there is not.
        true => {
            let mut groups = text.split('.');
            let first = groups.next().filter(|first| (1..=3).contains(&first.len()))?;
            let rest: Vec<&str> = groups.collect();
            rest.iter().all(|group| group.len() == 3).then(|| format!("{first}{}", rest.concat()))?
        }
    };
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

/// How long something takes: `300 ms`, `1.5 s`.
pub(super) fn milliseconds(language: Language, ms: i64) -> String {
    let seconds = ms / 1000;
    match ms % 1000 / 100 {
        _ if ms < 1000 => format!("{ms} ms"),
        0 => format!("{seconds} {}", language.say("s", "dtk")),
        tenths => format!("{seconds}{}{tenths} {}", language.say(".", ","), language.say("s", "dtk")),
    }
}

/// A state as a coloured word.
pub(super) fn badge(language: Language, state: State) -> Markup {
    let kind = match state {
        State::Paid | State::Done => "good",
        State::Failed | State::Disputed => "bad",
        State::Unknown => "warn",
        State::Expired | State::Cancelled | State::New => "off",
        State::Sending | State::Pending | State::Authorized => "wait",
        State::PartiallyRefunded | State::Refunded => "back",
    };
    label(kind, language.state(state))
}

/// A coloured word.
pub(super) fn label(kind: &str, text: &str) -> Markup {
    html! { span class={ "badge " (kind) } { (text) } }
}

/// A part of a path or of a query, percent-encoded.
pub(super) fn encoded(text: &str) -> String {
    const SET: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(text, SET).to_string()
}

/// An address with a query; what is empty is left out.
pub(super) fn address(path: &str, query: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = query
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}

/// What every form that changes something carries: that it comes from a page of this session.
pub(super) fn token(visit: &Visit) -> Markup {
    html! { input type="hidden" name="token" value=(visit.token()); }
}

/// A form with one button.
pub(super) fn button(visit: &Visit, to: &str, text: &str, class: &str) -> Markup {
    html! {
        form.inline method="post" action=(to) {
            (token(visit))
            button type="submit" class=(class) { (text) }
        }
    }
}

/// A field with its label, and a hint that it is described by.
pub(super) fn field(name: &str, text: &str, hint: &str, input: impl FnOnce(&str) -> Markup) -> Markup {
    let hinted = format!("{name}-hint");
    html! {
        div.field {
            label for=(name) { (text) }
            (input(if hint.is_empty() { "" } else { &hinted }))
            @if !hint.is_empty() { p.hint id=(hinted) { (hint) } }
        }
    }
}

/// A field of one line. `more` are attributes as the browser knows them.
pub(super) struct Input<'a> {
    pub name: &'a str,
    pub label: &'a str,
    pub hint: &'a str,
    pub kind: &'a str,
    pub value: &'a str,
    pub autocomplete: &'a str,
    pub required: bool,
}

impl Default for Input<'_> {
    fn default() -> Self {
        Input { name: "", label: "", hint: "", kind: "text", value: "", autocomplete: "off", required: true }
    }
}

impl Render for Input<'_> {
    fn render(&self) -> Markup {
        let numbers = matches!(self.kind, "money" | "code");
        let kind = if numbers { "text" } else { self.kind };
        let mode = match self.kind {
            "money" => Some("numeric"),
            // A recovery code has letters.
            "code" => Some("text"),
            _ => None,
        };
        field(self.name, self.label, self.hint, |hint| {
            html! {
                input id=(self.name) name=(self.name) type=(kind) value=(self.value) inputmode=[mode]
                    autocomplete=(self.autocomplete) required[self.required]
                    aria-describedby=[(!hint.is_empty()).then_some(hint)];
            }
        })
    }
}

/// A choice: values with what they are called, and the one that is chosen.
pub(super) fn select(name: &str, text: &str, choices: &[(String, String)], chosen: &str) -> Markup {
    field(name, text, "", |_| {
        html! {
            select id=(name) name=(name) {
                @for (value, called) in choices {
                    option value=(value) selected[value == chosen] { (called) }
                }
            }
        }
    })
}

/// A list of names and values.
pub(super) fn facts(pairs: &[(&str, Markup)]) -> Markup {
    html! {
        dl.facts {
            @for (name, value) in pairs {
                div { dt { (name) } dd { (value) } }
            }
        }
    }
}

/// What is said where there is nothing to list.
pub(super) fn nothing(text: &str) -> Markup {
    html! { p.nothing { (text) } }
}

/// A table that scrolls by itself where the screen is narrow; it can be reached and scrolled by keyboard.
pub(super) fn table(caption: &str, head: &[(&str, &str)], rows: Markup) -> Markup {
    html! {
        div.scroll role="region" aria-label=(caption) tabindex="0" {
            table {
                caption.hidden { (caption) }
                thead { tr { @for (class, name) in head { th scope="col" class=[(!class.is_empty()).then_some(class)] { (name) } } } }
                tbody { (rows) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_read_as_it_is_written() {
        for (text, amount) in [
            ("150000", Some(150_000)),
            ("150.000", Some(150_000)),
            ("Rp 1.150.000", Some(1_150_000)),
            ("Rp\u{a0}150.000", Some(150_000)),
            ("rp. 150000", Some(150_000)),
            ("0", Some(0)),
            ("1.50", None),
            ("1.5000", None),
            ("1500.000", None),
            ("150,000", None),
            ("150 000", None),
            ("-5", None),
            ("", None),
            ("Rp", None),
            (".", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(read_rupiah(text), amount, "{text}");
        }
        for amount in [0, 7, 999, 1_000, 150_000, 1_150_000] {
            assert_eq!(read_rupiah(&rupiah(amount)), Some(amount));
        }
        assert_eq!(rupiah(-1_150_000), "−Rp\u{a0}1.150.000");
    }

    #[test]
    fn days_and_moments_are_jakartas() {
        let eight = 1_763_600_400_000; // 2025-11-20T08:00:00+07:00
        assert_eq!((moment(eight).as_str(), day(eight).as_str()), ("2025-11-20 08:00:00", "2025-11-20"));
        assert_eq!(midnight(Date::constant(2025, 11, 20)), Some(eight - 8 * 3_600_000));
        assert_eq!(
            Time(eight).render().into_string(),
            "<time datetime=\"2025-11-20T08:00:00+07:00\">2025-11-20 08:00:00</time>"
        );
    }

    #[test]
    fn addresses_hold_anything() {
        assert_eq!(address("/a", &[("q", "x y&z=1/ü"), ("n", "")]), "/a?q=x%20y%26z%3D1%2F%C3%BC");
        assert_eq!(milliseconds(Language::English, 1500), "1.5 s");
        assert_eq!(milliseconds(Language::Indonesian, 1500), "1,5 dtk");
        assert_eq!(milliseconds(Language::English, 20_000), "20 s");
    }
}
