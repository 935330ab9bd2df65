//! What an integration engineer meets when writing settings.

mod gateway_mistakes;
mod manual;
mod partner_mistakes;
mod privacy;
mod rendering;
mod support;
mod values;
