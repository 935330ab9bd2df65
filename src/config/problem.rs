//! One mistake in the settings, and how it is shown.

use std::path::PathBuf;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde_json::json;

/// A mistake in the settings. Holds no secret: the excerpt shows stars in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which kind of mistake it is.
    pub code: Code,
    /// The file, as reached from the working directory.
    pub file: PathBuf,
    /// The setting, such as `clinic.auth.kind`; empty when the file as a whole is meant.
    pub key: String,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to change, in the same form.
    pub help: String,
    /// Where it stands; none when the file cannot be read at all.
    pub place: Option<Place>,
    /// What the mistake costs.
    pub effect: Effect,
}

/// Where in a file a mistake stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// How many characters are meant; at least 1 unless the line ends there.
    pub length: usize,
    /// The line, secrets replaced by stars.
    pub excerpt: String,
}

/// What a mistake costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The gateway cannot start with these settings.
    GatewayStops,
    /// One partner is left out.
    PartnerLeftOut,
}

/// The kinds of mistakes. Their names are stable: scripts may rely on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The folder or the file cannot be read.
    Unreadable,
    /// The file is not TOML.
    Syntax,
    /// There is no such key.
    UnknownKey,
    /// A key is needed here.
    MissingKey,
    /// The value has the wrong type.
    WrongType,
    /// The value is not one of those allowed.
    BadValue,
    /// A `${…}` cannot be filled in.
    Variable,
    /// The file that a key names cannot be used.
    NamedFile,
    /// Two keys do not go together.
    Conflict,
    /// The product knows it, but not in this version.
    NotSupported,
    /// An address is malformed, or one that we may not call.
    Address,
    /// A partner's id is malformed or not its file's name.
    PartnerId,
    /// Two clients have the same id.
    DuplicateClient,
    /// We would speak plain HTTP beyond this machine.
    PlainHttp,
}

impl Code {
    /// The stable name, such as `GW_CFG_UNKNOWN_KEY`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "GW_CFG_UNREADABLE",
            Self::Syntax => "GW_CFG_SYNTAX",
            Self::UnknownKey => "GW_CFG_UNKNOWN_KEY",
            Self::MissingKey => "GW_CFG_MISSING_KEY",
            Self::WrongType => "GW_CFG_WRONG_TYPE",
            Self::BadValue => "GW_CFG_BAD_VALUE",
            Self::Variable => "GW_CFG_VARIABLE",
            Self::NamedFile => "GW_CFG_NAMED_FILE",
            Self::Conflict => "GW_CFG_CONFLICT",
            Self::NotSupported => "GW_CFG_NOT_SUPPORTED",
            Self::Address => "GW_CFG_ADDRESS",
            Self::PartnerId => "GW_CFG_PARTNER_ID",
            Self::DuplicateClient => "GW_CFG_DUPLICATE_CLIENT",
            Self::PlainHttp => "GW_CFG_PLAIN_HTTP",
        }
    }
}

impl Problem {
    /// The problem for a plain terminal or a log: message, place, the line with a caret, help.
    pub fn to_text(&self) -> String {
        self.render(&Renderer::plain())
    }

    /// The same with colours (ANSI escapes).
    pub fn to_coloured_text(&self) -> String {
        self.render(&Renderer::styled())
    }

    /// The problem as one line of JSON.
    pub fn to_json(&self) -> String {
        let place = self.place.as_ref();
        json!({
            "code": self.code.as_str(),
            "file": self.file.display().to_string(),
            "line": place.map(|place| place.line),
            "column": place.map(|place| place.column),
            "key": self.key,
            "message": self.message,
            "help": self.help,
            "effect": match self.effect {
                Effect::GatewayStops => "gateway-stops",
                Effect::PartnerLeftOut => "partner-left-out",
            },
        })
        .to_string()
    }

    fn render(&self, renderer: &Renderer) -> String {
        let title = Level::ERROR.primary_title(self.message.as_str()).id(self.code.as_str());
        let file = self.file.display().to_string();
        let group = match &self.place {
            Some(place) => title.element(snippet(place, file)),
            None => Group::with_title(title).element(Origin::path(file)),
        };
        let group = group.element(Level::HELP.message(self.help.as_str()));
        let group = match self.effect {
            Effect::GatewayStops => group,
            Effect::PartnerLeftOut => {
                group.element(Level::NOTE.message("this partner is left out; the others are not affected"))
            }
        };
        renderer.render(&[group])
    }
}

fn snippet(place: &Place, file: String) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
    let start = byte_offset(&place.excerpt, place.column - 1);
    let end = byte_offset(&place.excerpt, place.column - 1 + place.length);
    Snippet::source(place.excerpt.as_str())
        .line_start(place.line)
        .path(file)
        .annotation(AnnotationKind::Primary.span(start..end))
}

fn byte_offset(text: &str, characters: usize) -> usize {
    text.char_indices().nth(characters).map_or(text.len(), |(offset, _)| offset)
}
