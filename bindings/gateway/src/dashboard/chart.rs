//! Charts, drawn by the server as SVG. Each has its numbers beside it as a table.

use maud::{Markup, html};

use super::show::{grouped, rupiah, table};
use super::visit::Visit;

/// What one day came to.
pub(super) struct Bar {
    pub day: String,
    pub paid: i64,
    pub over: i64,
    pub open: i64,
    pub amount: i64,
}

/// The width of a bar with its gap, and the height of the highest.
const STEP: usize = 10;
const HEIGHT: i64 = 100;

/// Payments a day: those that were paid below, those that ended unpaid above them, the open ones on top.
pub(super) fn volume(visit: &Visit<'_>, bars: &[Bar]) -> Markup {
    let highest = bars.iter().map(|bar| bar.paid + bar.over + bar.open).max().unwrap_or(0);
    let top = round_up(highest);
    let title = visit.say("Payments a day", "Pembayaran per hari");
    let (first, last) = (bars.first().map_or("", |bar| &bar.day), bars.last().map_or("", |bar| &bar.day));
    let kinds = [
        ("paid", visit.say("paid", "lunas")),
        ("over", visit.say("ended unpaid", "berakhir tanpa dibayar")),
        ("open", visit.say("open", "belum selesai")),
    ];
    html! {
        figure.chart {
            figcaption {
                (title)
                span.legend { @for (class, name) in kinds { span { span class={ "swatch " (class) } {} (name) } } }
            }
            div.plot {
                div.axis aria-hidden="true" { span { (grouped(top)) } span { "0" } }
                svg viewBox={ "0 0 " (bars.len().max(1) * STEP) " " (HEIGHT) } preserveAspectRatio="none" role="img"
                    aria-label={ (title) ", " (first) " – " (last) ": " (visit.say("the numbers are in the table below", "angkanya ada di tabel di bawah")) } {
                    @for (at, bar) in bars.iter().enumerate() { (stack(at * STEP, bar, top)) }
                }
            }
            div.ends aria-hidden="true" { span { (first) } span { (last) } }
            details {
                summary { (visit.say("As a table", "Sebagai tabel")) }
                (numbers(visit, title, bars))
            }
        }
    }
}

fn stack(x: usize, bar: &Bar, top: i64) -> Markup {
    let mut y = HEIGHT * 10;
    let mut piece = |class: &'static str, count: i64| {
        // In tenths of the height: what is there is seen, however small.
        let height = if count == 0 { 0 } else { (count * HEIGHT * 10 / top).max(10) };
        y -= height;
        html! { @if height > 0 { rect class=(class) x=(x + 1) y=(tenths(y)) width=(STEP - 2) height=(tenths(height)) {} } }
    };
    let pieces = [piece("paid", bar.paid), piece("over", bar.over), piece("open", bar.open)];
    html! {
        g {
            title { (bar.day) ": " (bar.paid) " / " (bar.paid + bar.over + bar.open) }
            @for piece in &pieces { (piece) }
        }
    }
}

fn numbers(visit: &Visit<'_>, title: &str, bars: &[Bar]) -> Markup {
    let head = [
        ("", visit.say("Day", "Hari")),
        ("number", visit.say("Paid", "Lunas")),
        ("number", visit.say("Unpaid", "Tak dibayar")),
        ("number", visit.say("Open", "Terbuka")),
        ("number", visit.say("Sum paid", "Jumlah lunas")),
    ];
    table(
        title,
        &head,
        html! {
            @for bar in bars.iter().rev() {
                tr {
                    th scope="row" { (bar.day) }
                    td.number { (bar.paid) }
                    td.number { (bar.over) }
                    td.number { (bar.open) }
                    td.number { (rupiah(bar.amount)) }
                }
            }
        },
    )
}

/// A share of a thousand as a bar; the number stands beside it.
pub(super) fn share(of_1000: i64) -> Markup {
    html! {
        svg.share viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" {
            rect.rest x="0" y="0" width="100" height="6" {}
            rect.paid x="0" y="0" width=(tenths(of_1000.clamp(0, 1000))) height="6" {}
        }
    }
}

/// How long half and nearly all took, on one scale: milliseconds of the whole width.
pub(super) fn latency(half: i64, nearly_all: i64, whole: i64) -> Markup {
    let width = |ms: i64| tenths((ms * 1000 / whole.max(1)).clamp(10, 1000));
    html! {
        svg.share viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" {
            rect.rest x="0" y="0" width="100" height="6" {}
            rect.open x="0" y="0" width=(width(nearly_all)) height="6" {}
            rect.paid x="0" y="0" width=(width(half)) height="6" {}
        }
    }
}

fn tenths(number: i64) -> String {
    if number % 10 == 0 { (number / 10).to_string() } else { format!("{}.{}", number / 10, number % 10) }
}

/// The next number that is easy to read: 1, 2 or 5 with noughts.
fn round_up(highest: i64) -> i64 {
    let mut unit = 1;
    loop {
        for step in [1, 2, 5] {
            if step * unit >= highest {
                return step * unit;
            }
        }
        unit *= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        for (highest, top) in [(0, 1), (1, 1), (2, 2), (3, 5), (7, 10), (12, 20), (1_001, 2_000)] {
            assert_eq!(round_up(highest), top, "{highest}");
        }
    }

    #[test]
    fn bars_stand_on_each_other_within_the_picture() {
        let bar = Bar { day: "2025-11-20".to_owned(), paid: 5, over: 3, open: 2, amount: 0 };
        let drawn = stack(20, &bar, 10).into_string();
        for rect in [
            r#"class="paid" x="21" y="50" width="8" height="50""#,
            r#"class="over" x="21" y="20" width="8" height="30""#,
            r#"class="open" x="21" y="0" width="8" height="20""#,
        ] {
            assert!(drawn.contains(rect), "{drawn}");
        }
        let none = Bar { day: String::new(), paid: 0, over: 0, open: 0, amount: 0 };
        assert!(!stack(0, &none, 1).into_string().contains("rect"));
        assert!(share(875).into_string().contains(r#"width="87.5""#));
    }
}
