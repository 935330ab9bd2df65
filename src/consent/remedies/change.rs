//! One change, and a world in which it is made.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::consent::disclosure::{Disclosure, Labelling, Source};
use crate::consent::trace::Name;
use crate::consent::{values, version_of};
use crate::fhir::resource::name_of;

/// A change as it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Change {
    /// The Consents are read, and are those that are known.
    ConsentsRead,
    /// Labels can be computed.
    LabellingWorks,
    /// A criterion of a rule is met, or is not there.
    CriterionMet {
        /// The rule that states it: `Consent/12#0.1`.
        rule: String,
        /// The element.
        element: Name,
        /// What it says.
        value: String,
    },
    /// A rule is taken out of its Consent.
    RuleTakenOut {
        /// The rule: `Consent/12#0.1`.
        rule: String,
    },
    /// A Consent is made inactive.
    ConsentInactive {
        /// `Consent/12/_history/3`.
        consent: String,
    },
    /// The patient gives a new Consent.
    NewConsent {
        /// Whom it permits to get it.
        recipient: String,
        /// For what.
        purpose: String,
        /// The sensitivities that it has to name.
        names: Vec<String>,
    },
}

/// A change as it is made.
#[derive(Clone, Debug)]
pub enum Step {
    /// The Consents are read.
    Read,
    /// Labels can be computed.
    Label,
    /// A rule loses an element.
    Drop(Place, String),
    /// A rule goes.
    TakeOut(Place),
    /// A Consent becomes inactive, by its number.
    Inactivate(usize),
    /// A new Consent, with the sensitivities that it names.
    Give(Box<Value>, Vec<String>),
}

/// A rule: the number of its Consent, and the numbers of the rules down to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which of the Consents.
    pub consent: usize,
    /// Empty for the root.
    pub numbers: Vec<usize>,
}

impl Place {
    /// Reads the path of a rule, `Consent/12#0.1`, of a Consent of this number.
    pub fn read(consent: usize, path: &str) -> Self {
        let numbers = path.rsplit('#').next().unwrap_or_default().split('.');
        Self { consent, numbers: numbers.filter_map(|it| it.parse().ok()).collect() }
    }

    fn pointer(&self) -> String {
        let below = self.numbers.iter().map(|it| format!("/provision/{it}"));
        format!("/provision{}", below.collect::<String>())
    }

    fn path(&self, disclosure: &Disclosure<'_>) -> String {
        let numbers: Vec<String> = self.numbers.iter().map(usize::to_string).collect();
        format!("{}#{}", name_of(&disclosure.consents[self.consent]), numbers.join("."))
    }
}

/// What a decision sees that a change can change.
#[derive(Clone, Debug)]
pub struct World {
    consents: Vec<Value>,
    source: Source,
    labelling: Labelling,
    touched: Vec<usize>,
}

impl World {
    /// The world as it is.
    pub fn of(disclosure: &Disclosure<'_>) -> Self {
        Self {
            consents: disclosure.consents.to_vec(),
            source: disclosure.source,
            labelling: disclosure.labelling,
            touched: Vec::new(),
        }
    }

    /// The same question in this world.
    pub fn seen_by<'a>(&'a self, disclosure: &Disclosure<'a>) -> Disclosure<'a> {
        Disclosure {
            consents: &self.consents,
            source: self.source,
            labelling: self.labelling,
            ..disclosure.clone()
        }
    }

    /// The world as it was. Only what was touched is copied again.
    pub fn undo(&mut self, disclosure: &Disclosure<'_>) {
        self.consents.truncate(disclosure.consents.len());
        for number in self.touched.drain(..) {
            self.consents[number].clone_from(&disclosure.consents[number]);
        }
        self.source = disclosure.source;
        self.labelling = disclosure.labelling;
    }

    fn touch(&mut self, number: usize) -> &mut Value {
        self.touched.push(number);
        &mut self.consents[number]
    }
}

impl Step {
    /// Makes the change.
    pub fn apply(&self, world: &mut World) {
        match self {
            Self::Read => world.source = Source::READ_NOW,
            Self::Label => world.labelling = Labelling::Works,
            Self::Drop(place, element) => drop_element(world.touch(place.consent), place, element),
            Self::TakeOut(place) => take_out(world.touch(place.consent), place),
            Self::Inactivate(number) => {
                let version = version_of(&world.consents[*number]);
                for number in 0..world.consents.len() {
                    // A Consent that was found twice is one.
                    if version_of(&world.consents[number]) == version {
                        world.touch(number)["status"] = json!("inactive");
                    }
                }
            }
            Self::Give(consent, _) => world.consents.push(consent.as_ref().clone()),
        }
    }

    /// Tells the change.
    pub fn told(&self, disclosure: &Disclosure<'_>) -> Change {
        match self {
            Self::Read => Change::ConsentsRead,
            Self::Label => Change::LabellingWorks,
            Self::Drop(place, element) => {
                let rule = disclosure.consents[place.consent].pointer(&place.pointer());
                let value = rule.map(|it| values::in_words(element, &it[element]));
                Change::CriterionMet {
                    rule: place.path(disclosure),
                    element: element.clone().into(),
                    value: value.unwrap_or_default(),
                }
            }
            Self::TakeOut(place) => Change::RuleTakenOut { rule: place.path(disclosure) },
            Self::Inactivate(number) => {
                Change::ConsentInactive { consent: version_of(&disclosure.consents[*number]) }
            }
            Self::Give(_, names) => Change::NewConsent {
                recipient: super::permission::recipient(disclosure),
                purpose: disclosure.purpose.code.clone(),
                names: names.clone(),
            },
        }
    }
}

/// An empty object is not FHIR: a root that said nothing else goes with its element.
fn drop_element(consent: &mut Value, place: &Place, element: &str) {
    let Some(rule) = consent.pointer_mut(&place.pointer()).and_then(Value::as_object_mut) else {
        return;
    };
    rule.shift_remove(element);
    if rule.is_empty() {
        consent.as_object_mut().and_then(|it| it.shift_remove("provision"));
    }
}

/// An empty list is not FHIR, so the list goes with its last rule.
fn take_out(consent: &mut Value, place: &Place) {
    let Some((last, above)) = place.numbers.split_last() else {
        return;
    };
    let above = Place { consent: place.consent, numbers: above.to_vec() };
    let Some(map) = consent.pointer_mut(&above.pointer()).and_then(Value::as_object_mut) else {
        return;
    };
    if let Some(rules) = map.get_mut("provision").and_then(Value::as_array_mut) {
        rules.remove(*last);
        if rules.is_empty() {
            map.shift_remove("provision");
        }
    }
}
