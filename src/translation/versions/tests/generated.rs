//! Resources that nobody would write: any element may be there, with any value of its type.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::table::{Element, Shape, Table, is_primitive};
use super::*;

/// Dice that a seed determines.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Types that HL7 moved far between versions, and which no referral has.
const RESOURCES: [&str; 35] = [
    "AllergyIntolerance",
    "Appointment",
    "CarePlan",
    "CareTeam",
    "Communication",
    "Composition",
    "Condition",
    "Consent",
    "Coverage",
    "Device",
    "DiagnosticReport",
    "DocumentReference",
    "Encounter",
    "Goal",
    "HealthcareService",
    "Immunization",
    "Location",
    "Medication",
    "MedicationAdministration",
    "MedicationRequest",
    "MedicationStatement",
    "MessageHeader",
    "Observation",
    "OperationOutcome",
    "Organization",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "Procedure",
    "Provenance",
    "QuestionnaireResponse",
    "RelatedPerson",
    "ServiceRequest",
    "Specimen",
    "Task",
];

fn resource_of(table: &Table, name: &str, dice: &mut Dice) -> Value {
    let mut made = object(table, name, dice, 0);
    made.insert("resourceType".to_owned(), json!(name));
    Value::Object(made)
}

fn object(table: &Table, path: &str, dice: &mut Dice, depth: u64) -> Map<String, Value> {
    let mut made = Map::new();
    let elements: Vec<&Element> = table.elements(path).iter().collect();
    for element in &elements {
        let is_plain = !matches!(
            element.name.as_str(),
            "extension" | "modifierExtension" | "contained" | "resourceType" | "meta" | "text"
        );
        if is_plain && dice.roll(3 + depth * 2) == 0 {
            add(table, element, dice, depth, &mut made);
        }
    }
    if made.is_empty()
        && let Some(element) = elements.iter().find(|it| it.name != "extension" && it.name != "resourceType")
    {
        add(table, element, dice, depth, &mut made);
    }
    made
}

fn add(table: &Table, element: &Element, dice: &mut Dice, depth: u64, made: &mut Map<String, Value>) {
    let kind = match &element.shape {
        Shape::Types(types) => {
            let at = usize::try_from(dice.roll(types.len() as u64)).unwrap();
            types[at].clone()
        }
        Shape::Parts(path) => path.clone(),
        Shape::Any => "string".to_owned(),
    };
    if depth > 4 && !is_primitive(&kind) || kind == "Resource" {
        return;
    }
    let name = element.json_name(&kind);
    let value = |dice: &mut Dice| value(table, &kind, dice, depth + 1);
    let made_value = if element.repeats {
        let count = 1 + dice.roll(2);
        Value::Array((0..count).map(|_| value(dice)).collect())
    } else {
        value(dice)
    };
    made.insert(name, made_value);
}

fn value(table: &Table, kind: &str, dice: &mut Dice, depth: u64) -> Value {
    let number = dice.roll(90) + 10;
    match kind {
        "boolean" => json!(number.is_multiple_of(2)),
        "integer" | "positiveInt" | "unsignedInt" | "decimal" => json!(number),
        "integer64" => json!(number.to_string()),
        "date" => json!(format!("20{number}-01-02")),
        "dateTime" | "instant" => json!(format!("20{number}-01-02T03:04:05Z")),
        "time" => json!(format!("10:{:02}:00", number % 60)),
        _ if is_primitive(kind) => json!(format!("{kind}-{number}")),
        _ => Value::Object(object(table, kind, dice, depth)),
    }
}

/// What R4 → other → R4 makes of a resource.
fn there_and_back(value: &Value, version: FhirVersion) -> (Converted, Converted) {
    let there = from_r4(value, version);
    let back = to_r4(&there.value, version);
    (there, back)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_r4_resource_comes_back_as_it_was(seed in any::<u64>()) {
        let mut dice = Dice(seed);
        for version in OTHERS {
            let name = RESOURCES[usize::try_from(dice.roll(RESOURCES.len() as u64)).unwrap()];
            let value = resource_of(Table::of(FhirVersion::R4), name, &mut dice);
            let (there, back) = there_and_back(&value, version);

            assert_accounted(&there);
            assert_accounted(&back);
            prop_assert_eq!(differences(&back.value, &value, ""), Vec::<String>::new(), "{:?} by {}", version, there.value);
            prop_assert_eq!(unknown_elements(&there.value, version), Vec::<String>::new(), "{}", there.value);
        }
    }

    #[test]
    fn any_resource_of_another_version_becomes_one_of_r4_and_loses_nothing_unsaid(seed in any::<u64>()) {
        let mut dice = Dice(seed);
        for version in OTHERS {
            let name = RESOURCES[usize::try_from(dice.roll(RESOURCES.len() as u64)).unwrap()];
            let name = if version == FhirVersion::Stu3 && name == "ServiceRequest" { "ReferralRequest" } else { name };
            let value = resource_of(Table::of(version), name, &mut dice);
            let there = to_r4(&value, version);
            let back = from_r4(&there.value, version);

            assert_accounted(&there);
            assert_accounted(&back);
            prop_assert_eq!(unknown_elements(&there.value, FhirVersion::R4), Vec::<String>::new(), "{}", there.value);
            prop_assert_eq!(unknown_elements(&back.value, version), Vec::<String>::new(), "{}", back.value);
        }
    }
}
