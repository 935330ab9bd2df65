//! How a mistake looks.

use super::support::{Folder, PARTNER};

#[test]
fn a_problem_shows_file_line_caret_and_remedy() {
    let folder = Folder::with_gateway("[clinic]\n\"näme\" = \"x\"\npoll_interval_s = \"5\" # often\n");

    let problem = folder.load().problems.remove(1);

    let expected = format!(
        "error[GW_CFG_WRONG_TYPE]: `clinic.poll_interval_s` has a wrong type
 --> {}:3:19
  |
3 | poll_interval_s = \"5\" # often
  |                   ^^^
  |
  = help: write a whole number without quotes",
        folder.path("gateway.toml").display()
    );
    assert_eq!(problem.to_text(), expected);
    assert!(problem.to_coloured_text().contains('\u{1b}'));
}

#[test]
fn a_partners_problem_says_whom_it_costs() {
    let folder = Folder::with_partner(&PARTNER.replace("mode = \"rest\"", "mode = \"restt\""));

    let text = folder.load().problems[0].to_text();

    assert!(text.contains("= help: did you mean `rest`? use one of rest, message, inbox"), "{text}");
    assert!(text.ends_with("= note: this partner is left out; the others are not affected"), "{text}");
}

#[test]
fn a_problem_without_a_place_names_the_file() {
    let folder = Folder::with_gateway("");
    std::fs::remove_file(folder.path("gateway.toml")).unwrap();

    let text = folder.load().problems[0].to_text();

    assert!(text.contains(&format!("--> {}", folder.path("gateway.toml").display())), "{text}");
}

#[test]
fn json_is_one_line_with_stable_names() {
    let folder = Folder::with_gateway("[log]\nlevel = 1\n");

    let line = folder.load().problems[0].to_json();

    let json: serde_json::Value = line.parse().unwrap();
    assert!(!line.contains('\n'));
    assert_eq!(json["code"], "GW_CFG_BAD_VALUE");
    assert_eq!(json["line"], 2);
    assert_eq!(json["column"], 9);
    assert_eq!(json["key"], "log.level");
    assert_eq!(json["effect"], "gateway-stops");
}

#[test]
fn places_are_right_in_files_with_marks_of_other_systems() {
    let folder = Folder::with_gateway("\u{feff}[log]\r\n\t\"format\" = \"tëxt\"\r\n");

    let problem = folder.load().problems.remove(0);

    let place = problem.place.unwrap();
    assert_eq!((place.line, place.column, place.length), (2, 13, 6));
    assert_eq!(place.excerpt, "\t\"format\" = \"tëxt\"");
}

#[test]
fn the_header_of_an_unknown_section_is_shown() {
    let text = Folder::with_gateway("[clinic.auht]\nkind = \"none\"\n").load().problems[0].to_text();

    assert!(text.contains("1 | [clinic.auht]"), "{text}");
}
