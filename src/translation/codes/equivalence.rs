//! How the two sides of a mapping relate, and in which direction that lets a code be added.

/// How the target relates to the source (FHIR R4, value set concept-map-equivalence).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Equivalence {
    /// They overlap; how is not known.
    RelatedTo,
    /// They mean the same.
    Equivalent,
    /// They are the same.
    Equal,
    /// The target says less.
    Wider,
    /// The source is a kind of the target.
    Subsumes,
    /// The target says more.
    Narrower,
    /// The target is a kind of the source.
    Specializes,
    /// They overlap, and each says something that the other does not.
    Inexact,
    /// There is no target.
    Unmatched,
    /// They have nothing in common, and it is said on purpose.
    Disjoint,
}

impl Equivalence {
    const ALL: [Self; 10] = [
        Self::RelatedTo,
        Self::Equivalent,
        Self::Equal,
        Self::Wider,
        Self::Subsumes,
        Self::Narrower,
        Self::Specializes,
        Self::Inexact,
        Self::Unmatched,
        Self::Disjoint,
    ];

    /// The equivalence of FHIR's code.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }

    /// FHIR's code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::RelatedTo => "relatedto",
            Self::Equivalent => "equivalent",
            Self::Equal => "equal",
            Self::Wider => "wider",
            Self::Subsumes => "subsumes",
            Self::Narrower => "narrower",
            Self::Specializes => "specializes",
            Self::Inexact => "inexact",
            Self::Unmatched => "unmatched",
            Self::Disjoint => "disjoint",
        }
    }

    /// Whether the target is true wherever the source is: only then may it stand beside it.
    pub const fn holds_forward(self) -> bool {
        matches!(self, Self::Equal | Self::Equivalent | Self::Wider | Self::Subsumes)
    }

    /// Whether the source is true wherever the target is.
    pub const fn holds_in_reverse(self) -> bool {
        matches!(self, Self::Equal | Self::Equivalent | Self::Narrower | Self::Specializes)
    }

    /// Whether a target needs a code.
    pub(super) const fn has_target(self) -> bool {
        !matches!(self, Self::Unmatched | Self::Disjoint)
    }
}
