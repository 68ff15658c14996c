//! The page of a provider: its table of operations is made of its description.

use std::path::Path;

use bayar_provider::{Class, Deduplication, Operation, Provider, Settlement};

use crate::account::describe;

const START: &str = "<!-- operations -->\n";
const END: &str = "<!-- /operations -->\n";

/// The table between the marks in `README.md` is what the description says. With
/// `BAYAR_BLESS=1` it is written instead.
pub fn operations<P: Provider>(dir: &str) {
    let path = Path::new(dir).join("README.md");
    let text = std::fs::read_to_string(&path).expect("a provider has a README.md");
    let (before, rest) = text.split_once(START).expect("README.md has the mark <!-- operations -->");
    let (_, after) = rest.split_once(END).expect("README.md has the mark <!-- /operations -->");
    let table = table(&describe::<P>(None).operations);
    let wanted = format!("{before}{START}{table}{END}{after}");
    if std::env::var_os("BAYAR_BLESS").is_some() {
        std::fs::write(&path, &wanted).expect("README.md is written");
    } else {
        assert!(
            text == wanted,
            "the table in {} is not what describe says: set BAYAR_BLESS=1 and read the difference",
            path.display()
        );
    }
}

fn table(operations: &[Operation]) -> String {
    let head = "| operation | what it does | class | a repeat | who settles an unknown one | source |\n|---|---|---|---|---|---|\n";
    let row = |operation: &Operation| {
        format!(
            "| `{}` | {} | {} | {} | {} | {} |\n",
            operation.name,
            operation.summary,
            serde_json::to_value(operation.class)
                .ok()
                .and_then(|c| c.as_str().map(str::to_owned))
                .unwrap_or_default(),
            repeat(operation),
            settled(operation),
            operation.source,
        )
    };
    head.to_owned() + &operations.iter().map(row).collect::<String>()
}

fn repeat(operation: &Operation) -> &'static str {
    match (operation.class, operation.deduplication) {
        (Class::Read, _) => "harmless",
        (Class::Once | Class::Payable, _) => "never sent again",
        (Class::Change, _) => "not sent again by machine",
        (Class::Keyed, Deduplication::Proven) => "deduplicated, proven",
        (Class::Keyed, Deduplication::Claimed) => "deduplicated, claimed",
        (Class::Keyed, Deduplication::None) => "queried instead",
    }
}

fn settled(operation: &Operation) -> String {
    match (&operation.settled, operation.class) {
        (_, Class::Read) => String::new(),
        (Settlement::Read { operation }, _) => format!("`{operation}`"),
        (Settlement::Keyed { operation }, _) => format!("`{operation}`, repeated"),
        (Settlement::Callback, _) => "the callback".to_owned(),
        (Settlement::Nobody, _) => "nobody".to_owned(),
    }
}
