//! `bayar`: a payment engine that a billing system embeds.
