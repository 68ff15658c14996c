//! The unified operations' parameters: what `charge`, `status`, `cancel` and `refund` take
//! everywhere. What only one provider has stands in `options`, a type of that plugin.
//!
//! `key`, `tenant`, `reference` and `deadline_ms` belong to the engine and never arrive here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::money::Rupiah;

/// Parameters of `charge`. `O` is what only this provider has.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Charge<O: Default> {
    /// The host's own id of the order. Without it the engine makes one.
    #[serde(default)]
    pub order_id: Option<String>,
    /// What the payer is asked to pay, at least 1 rupiah.
    pub amount: Rupiah,
    /// Only rupiah are known.
    #[serde(default)]
    pub currency: Currency,
    /// How the payer pays; `channels` lists what there is. Without it, the payer chooses where the provider has such a page.
    #[serde(default)]
    pub channel: Option<String>,
    /// Who pays.
    #[serde(default)]
    pub customer: Option<Customer>,
    /// What is paid for; where given, price × quantity must sum to the amount.
    #[serde(default)]
    pub items: Vec<Item>,
    /// Where the payer returns to after paying.
    #[serde(default)]
    pub return_url: Option<String>,
    /// Where the payer returns to after giving up.
    #[serde(default)]
    pub cancel_url: Option<String>,
    /// Where the provider sends this order's callbacks, where it can be said per order.
    #[serde(default)]
    pub callback_url: Option<String>,
    /// How long the payer may take, in seconds.
    #[serde(default)]
    pub expires_in: Option<u32>,
    /// What the payer reads.
    #[serde(default)]
    pub description: Option<String>,
    /// What only this provider has.
    #[serde(default)]
    pub options: O,
}

/// The currency of an amount.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub enum Currency {
    /// Indonesian rupiah.
    #[default]
    IDR,
}

/// Who pays. Everything is optional here; a provider that needs a field says so.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Customer {
    /// Full name.
    #[serde(default)]
    pub name: Option<String>,
    /// E-mail address.
    #[serde(default)]
    pub email: Option<String>,
    /// Phone number: digits, with or without `+`.
    #[serde(default)]
    pub phone: Option<String>,
    /// The host's own id of the customer.
    #[serde(default)]
    pub id: Option<String>,
}

/// One line of what is paid for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// The host's own id of the product.
    #[serde(default)]
    pub id: Option<String>,
    /// What it is.
    pub name: String,
    /// The price of one.
    pub price: Rupiah,
    /// How many.
    pub quantity: u32,
}

impl<O: Default> Charge<O> {
    /// What must hold for every charge: an amount of at least 1 and items that sum to it.
    ///
    /// # Errors
    /// [`crate::Code::InvalidParams`]. Amounts are never rewritten to fit.
    pub fn check(&self) -> Result<(), Error> {
        if self.amount.get() == 0 {
            return Err(Error::invalid("amount", 0, "at least 1 rupiah"));
        }
        if self.items.is_empty() {
            return Ok(());
        }
        let sum = self
            .items
            .iter()
            .try_fold(Rupiah::default(), |sum, item| sum.plus(item.price.times(u64::from(item.quantity))?));
        match sum {
            Some(sum) if sum == self.amount => Ok(()),
            Some(sum) => Err(Error::invalid(
                "items",
                format!("a sum of {sum} (price × quantity)"),
                format!("exactly the amount, {}", self.amount),
            )),
            None => Err(Error::invalid(
                "items",
                "a sum that is too large",
                format!("exactly the amount, {}", self.amount),
            )),
        }
    }
}

/// Which payment: `status`, `cancel` and the like. Give exactly one.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// The host's own id of the order, where it is also the reference.
    #[serde(default)]
    pub order_id: Option<String>,
    /// The provider's own id.
    #[serde(default)]
    pub provider_reference: Option<String>,
}

/// Parameters of `refund`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refund {
    /// The host's own id of the order.
    #[serde(default)]
    pub order_id: Option<String>,
    /// The provider's own id.
    #[serde(default)]
    pub provider_reference: Option<String>,
    /// How much goes back; without it, all.
    #[serde(default)]
    pub amount: Option<Rupiah>,
    /// Why, for the provider's records.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Parameters of an operation that takes none.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}
