//! Real resources, there and back.

use super::*;

#[test]
fn every_fixture_comes_back_from_every_version_as_it_was() {
    for (file, value) in fixtures() {
        for version in OTHERS {
            let there = from_r4(&value, version);
            let back = to_r4(&there.value, version);

            assert_accounted(&there);
            assert_accounted(&back);
            let mut kept = value.clone();
            for lost in there.report.passages.iter().filter(|it| matches!(it.fate, Fate::Dropped(_))) {
                assert_eq!(lost.from, "Bundle.timestamp", "{file} by {version:?}");
                kept.as_object_mut().unwrap().remove("timestamp");
            }
            assert_eq!(differences(&back.value, &kept, ""), Vec::<String>::new(), "{file} by {version:?}");
        }
    }
}

#[test]
fn what_is_r4_already_is_not_touched() {
    for (_, value) in fixtures() {
        let same = to_r4(&value, FhirVersion::R4);

        assert_eq!(same.value, value);
        assert_eq!(same.report.counts().carried, same.report.counts().all);
    }
}
