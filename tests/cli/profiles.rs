//! Profiles: a file with settings for daily commands. An option takes precedence over a variable, a variable over the
//! profile, and the profile over the default.

use std::process::{Command, Output};

use crate::department::{Department, officers, program, text};

/// Returns a command without any setting except the file of profiles.
fn command(department: &Department, words: &[&str]) -> Command {
    let mut command = program();
    command
        .current_dir(department.path(""))
        .env("HOME", department.path("home"))
        .env_remove("XDG_CONFIG_HOME")
        .args(words);
    command
}

fn run(department: &Department, words: &[&str]) -> Output {
    command(department, words).output().unwrap()
}

/// Makes a department whose user has this file in the home folder. `ENDPOINT` in it stands for the server's address.
fn with_profiles(text: &str) -> Department {
    let department = Department::open();
    let endpoint = format!("http://{}", department.address());
    let folder = department.path("home/.config/user-import");
    std::fs::create_dir_all(folder).unwrap();
    department.file(
        "home/.config/user-import/config.toml",
        &text.replace("ENDPOINT", &endpoint),
    );
    department.file("roster.csv", &officers(2));
    department
}

const DAILY: &str = "default_profile = \"pd\"\n\n\
    [profiles.pd]\nendpoint = \"ENDPOINT\"\norganization = \"pd\"\n\n\
    [profiles.away]\nendpoint = \"http://127.0.0.1:1\"\norganization = \"elsewhere\"\n";

#[test]
fn the_daily_command_needs_nothing_but_the_roster() {
    let department = with_profiles(DAILY);
    let import = run(&department, &["import", "roster.csv"]);
    assert_eq!(import.status.code(), Some(0), "{import:?}");
    assert_eq!(department.users().len(), 2);
}

#[test]
fn an_option_comes_before_a_variable_and_a_variable_before_the_profile() {
    let department = with_profiles(DAILY);
    let endpoint = format!("http://{}", department.address());
    for (words, variable, exit) in [
        (&["imports", "--profile", "away"][..], "", 5),
        (
            &["imports", "--profile", "away", "--endpoint", &endpoint],
            "",
            4,
        ),
        (
            &["imports", "--profile", "away", "--endpoint", &endpoint],
            "pd",
            0,
        ),
        (&["imports", "--organization", "pd"], "elsewhere", 0),
        (&["imports"], "elsewhere", 4),
        (&["imports"], "", 0),
        (&["imports", "--profile", ""], "", 0),
    ] {
        let mut command = command(&department, words);
        if !variable.is_empty() {
            command.env("USER_IMPORT_ORGANIZATION", variable);
        }
        let output = command.output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(exit),
            "{words:?} {variable} {output:?}"
        );
    }
    let mut by_variable = command(&department, &["imports"]);
    by_variable.env("USER_IMPORT_PROFILE", "away");
    assert_eq!(by_variable.output().unwrap().status.code(), Some(5));
}

#[test]
fn the_file_is_the_one_named_or_the_one_in_its_usual_place() {
    let department = with_profiles("not toml");
    let good = DAILY.replace("ENDPOINT", &format!("http://{}", department.address()));
    let file = department.file("other.toml", &good);
    let file = file.to_str().unwrap();
    assert_eq!(run(&department, &["imports"]).status.code(), Some(2));
    let by_option = run(&department, &["imports", "--config", file]);
    assert_eq!(by_option.status.code(), Some(0), "{by_option:?}");
    let mut by_variable = command(&department, &["imports"]);
    by_variable.env("USER_IMPORT_CONFIG", file);
    assert_eq!(by_variable.output().unwrap().status.code(), Some(0));

    std::fs::create_dir_all(department.path("xdg/user-import")).unwrap();
    department.file("xdg/user-import/config.toml", &good);
    let mut in_xdg = command(&department, &["imports"]);
    in_xdg.env("XDG_CONFIG_HOME", department.path("xdg"));
    assert_eq!(in_xdg.output().unwrap().status.code(), Some(0));
}

#[test]
fn a_fault_of_the_file_names_file_and_line() {
    let department = with_profiles("[profiles.pd]\nendpont = \"ENDPOINT\"\n");
    let told = text(&run(&department, &["imports"]).stderr);
    assert!(
        told.contains("config.toml, line 2: unknown key \"endpont\"; did you mean \"endpoint\"?"),
        "{told}"
    );
    let department = with_profiles("[profiles.pd]\ntoken = \"uit_secret\"\n");
    let refused = run(&department, &["imports"]);
    let told = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        told.contains("line 2") && told.contains("token_file"),
        "{told}"
    );
    assert!(!told.contains("uit_secret"), "{told}");
}

#[test]
fn without_profile_and_option_it_says_what_to_give() {
    let department = Department::open();
    let none = run(&department, &["imports"]);
    assert_eq!(none.status.code(), Some(2));
    let told = text(&none.stderr);
    assert!(
        told.contains("--organization") && told.contains("profile"),
        "{told}"
    );
    let unknown = text(&run(&department, &["imports", "--profile", "pd"]).stderr);
    assert!(unknown.contains("[profiles.pd]"), "{unknown}");
}

/// Makes a token for `pd`. From then on every caller needs a token.
fn token(department: &Department) -> String {
    let database = format!("sqlite://{}", department.path("users.db").display());
    let words = [
        "token",
        "create",
        "x",
        "--permission",
        "users.read",
        "--database-url",
        &database,
    ];
    let created = department.run(&words);
    assert_eq!(created.status.code(), Some(0), "{created:?}");
    text(&created.stdout).trim().to_owned()
}

#[test]
fn a_token_is_taken_from_its_file_or_from_its_variable() {
    let by_file = "default_profile = \"pd\"\n[profiles.pd]\nendpoint = \"ENDPOINT\"\n\
        organization = \"pd\"\ntoken_file = \"pd.token\"\n";
    let department = with_profiles(by_file);
    let token = token(&department);
    let file = department.file("home/.config/user-import/pd.token", &token);
    permit(&file, 0o600);
    let output = run(&department, &["imports"]);
    assert_eq!(
        (output.status.code(), text(&output.stderr)),
        (Some(0), String::new())
    );

    permit(&file, 0o644);
    let warned = run(&department, &["imports"]);
    assert_eq!(warned.status.code(), Some(0));
    let told = text(&warned.stderr);
    assert!(
        told.starts_with("warning: ") && told.contains("chmod 600"),
        "{told}"
    );
    assert!(run(&department, &["imports", "-q"]).stderr.is_empty());

    let wrong = run(&department, &["imports", "--token", "uit_wrong"]);
    assert_eq!(wrong.status.code(), Some(4), "{wrong:?}");

    let by_variable = by_file.replace("token_file = \"pd.token\"", "token_env = \"PD_TOKEN\"");
    let endpoint = format!("http://{}", department.address());
    department.file(
        "home/.config/user-import/config.toml",
        &by_variable.replace("ENDPOINT", &endpoint),
    );
    let mut set = command(&department, &["imports"]);
    set.env("PD_TOKEN", &token);
    assert_eq!(set.output().unwrap().status.code(), Some(0));
    let unset = run(&department, &["imports"]);
    assert_eq!(unset.status.code(), Some(2));
    assert!(text(&unset.stderr).contains("PD_TOKEN"), "{unset:?}");
}

#[test]
fn a_token_given_as_an_option_comes_before_one_in_the_environment() {
    let department = with_profiles(DAILY);
    let token = token(&department);
    let file = department.file("good.token", &token);
    permit(&file, 0o600);
    let mut by_option = command(&department, &["imports", "--token-file", "good.token"]);
    by_option.env("USER_IMPORT_TOKEN", "uit_wrong");
    let output = by_option.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let both = ["imports", "--token-file", "good.token", "--token", &token];
    assert_eq!(run(&department, &both).status.code(), Some(2));
}

fn permit(file: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn profiles_are_listed_in_every_format() {
    let department = with_profiles(DAILY);
    let table = text(&run(&department, &["profile", "list"]).stdout);
    assert!(
        table.contains("away") && table.contains("elsewhere"),
        "{table}"
    );
    let csv = text(&run(&department, &["profile", "list", "--format", "csv"]).stdout);
    let endpoint = format!("http://{}", department.address());
    assert_eq!(
        csv,
        format!(
            "profile,default,endpoint,organization,token,ca_cert\n\
             away,,http://127.0.0.1:1,elsewhere,,\npd,yes,{endpoint},pd,,\n"
        )
    );
}
