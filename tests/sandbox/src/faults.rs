//! Faults that were asked for: what goes wrong, where, and how often.

use serde::{Deserialize, Serialize};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// The answer (or callback) waits for `ms` milliseconds.
    Delay,
    /// The connection is reset instead of an answer. A callback never arrives, however often the provider
    /// would try; or, after, the merchant's answer is lost and it is sent again.
    Reset,
    /// The answer ends in the middle of its body.
    Truncate,
    /// The provider's own internal error.
    #[serde(rename = "500")]
    Error500,
    /// A page of HTML where JSON belongs, with status 200 unless `status` says otherwise.
    Html,
    /// The request reaches the provider twice, as a proxy in between may do, and the second
    /// answer is the one that arrives. A callback is sent twice.
    Duplicate,
}

impl Kind {
    /// As it is asked for.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Delay => "delay",
            Self::Reset => "reset",
            Self::Truncate => "truncate",
            Self::Error500 => "500",
            Self::Html => "html",
            Self::Duplicate => "duplicate",
        }
    }
}

/// Whether the provider acts before the fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum When {
    /// The request is never executed.
    Before,
    /// It is executed and its answer is lost.
    After,
}

/// Which traffic it strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum On {
    /// Requests to a provider.
    #[default]
    Request,
    /// Callbacks to the merchant.
    Callback,
}

/// One fault, as asked for over `POST /_sandbox/faults`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    /// Of one provider; of any, if absent.
    #[serde(default)]
    pub(crate) provider: Option<String>,
    /// Where the path (of a callback: the URL) contains this.
    #[serde(default)]
    pub(crate) path_contains: Option<String>,
    pub(crate) fault: Kind,
    /// Of a delay: how long. Default 1000.
    #[serde(default)]
    pub(crate) ms: Option<u64>,
    /// How often it strikes. Default 1.
    #[serde(default = "once")]
    pub(crate) times: u32,
    /// Default `before`; `truncate` and `duplicate` need an answer and so default to `after`.
    #[serde(default)]
    pub(crate) when: Option<When>,
    #[serde(default)]
    pub(crate) on: On,
    /// Of `html`: the HTTP status.
    #[serde(default)]
    pub(crate) status: Option<u16>,
}

fn once() -> u32 {
    1
}

impl Fault {
    pub(crate) fn when(&self) -> When {
        let natural = match self.fault {
            Kind::Truncate | Kind::Duplicate => When::After,
            Kind::Delay | Kind::Reset | Kind::Error500 | Kind::Html => When::Before,
        };
        self.when.unwrap_or(natural)
    }

    /// What makes no sense, said at once rather than at the first strike.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.times == 0 {
            return Err("times is 0: such a fault never strikes; expected 1 or more".to_owned());
        }
        if self.on == On::Callback && !matches!(self.fault, Kind::Delay | Kind::Duplicate | Kind::Reset) {
            return Err(format!(
                "{} cannot strike a callback; expected delay, duplicate or reset",
                self.fault.word()
            ));
        }
        if self.fault == Kind::Duplicate && self.when() == When::Before {
            return Err("duplicate executes the request, twice: it cannot strike before".to_owned());
        }
        if self.status.is_some_and(|status| !(200..=599).contains(&status)) {
            return Err("status: expected 200 to 599".to_owned());
        }
        Ok(())
    }

    /// Words for the log.
    pub(crate) fn label(&self) -> String {
        let when = match self.when() {
            When::Before => "before",
            When::After => "after",
        };
        format!("{} {when}", self.fault.word())
    }

    fn strikes(&self, on: On, provider: &str, path: &str) -> bool {
        let here =
            |wanted: &Option<String>, matches: &dyn Fn(&str) -> bool| wanted.as_deref().is_none_or(matches);
        self.on == on
            && here(&self.provider, &|wanted| wanted == provider)
            && here(&self.path_contains, &|wanted| path.contains(wanted))
    }
}

/// The faults that still wait, the oldest first.
#[derive(Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn waiting(&self) -> &[Fault] {
        &self.0
    }

    /// Takes the first fault that strikes here; it is spent when its times are.
    pub(crate) fn take(&mut self, on: On, provider: &str, path: &str) -> Option<Fault> {
        let at = self.0.iter().position(|fault| fault.strikes(on, provider, path))?;
        let fault = self.0[at].clone();
        if self.0[at].times == 1 {
            self.0.remove(at);
        } else {
            self.0[at].times -= 1;
        }
        Some(fault)
    }
}
