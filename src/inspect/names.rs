//! What columns are called in common use, in English, French, German, Spanish and Portuguese.
//!
//! Names are compared by their letters and digits alone, without accents and case: `E-Mail` and `e_mail` are the same
//! name. A name that is unknown as a whole is tried again without words that only say whose value it is (`Work
//! E-mail`).

use std::{collections::HashMap, sync::LazyLock};

use icu_normalizer::DecomposingNormalizerBorrowed as Normalizer;

use crate::domain::Column::{
    self, BadgeNumber, Email, EvidenceGroupExtId, ExternalId, FirstName, LastName, Phone, Rank,
    Role, Status, SupervisorEmail, Username,
};
use crate::input::own_column;

/// What the name of a column says about its cells. The first kinds fit best.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameHint {
    /// The name is a roster's own.
    Own(Column),
    /// The name is in common use for this column.
    Common(Column),
    /// The same, beside a word that says whose value it is.
    Qualified(Column),
    /// The name may mean this column, if no better one does.
    Weak(Column),
    /// A whole name, or one of its parts if other columns have the rest.
    Person(NameOrder),
    /// A role or a rank; the values say which.
    Job,
    /// A group, if the values are groups.
    Unit,
    /// The status, where "yes" means that the account is not active.
    Inverted,
    /// The flags of an account in Active Directory.
    AccountControl,
}

/// The order of the parts of a whole name without a comma.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameOrder {
    /// The first name comes first.
    FirstLast,
    /// The last name comes first.
    LastFirst,
    /// The name of the column does not say.
    Unsaid,
}

/// Names in common use for a column; words are separated by a space. The first names of each are English, the others
/// French, German, Spanish and Portuguese.
const COMMON: &[(Column, &str)] = &[
    (
        ExternalId,
        "EMPLOYEEID EMPLOYEENO EMPLOYEENUMBER EMPLOYEENUM EMPLOYEECODE EMPLOYEEKEY EMPID EMPNO EMPNUM EMPNUMBER EMPCODE \
         STAFFID STAFFNO STAFFNUMBER PERSONNELID PERSONNELNO PERSONNELNUMBER PAYROLLID PAYROLLNO PAYROLLNUMBER HRID \
         HRNUMBER PERSONID PERSONNUMBER WORKERID WORKERNUMBER ASSOCIATEID MEMBERID OFFICERID UNITID RECORDID UNIQUEID \
         GUID OBJECTGUID OBJECTID IMMUTABLEID SOURCEDID SISID STUDENTID CADID SYSTEMID EXTERNALKEY EXTID \
         MATRICULE IDENTIFIANT IDENTIFIANTEXTERNE NUMEROEMPLOYE NUMERODEMPLOYE NUMEROAGENT NOEMPLOYE IDEMPLOYE IDAGENT \
         PERSONALNUMMER PERSONALNR PERSNR PERSNUMMER MITARBEITERNUMMER MITARBEITERNR MITARBEITERID STAMMNUMMER \
         NUMEROEMPLEADO NUMERODEEMPLEADO NOEMPLEADO IDEMPLEADO CODIGOEMPLEADO LEGAJO IDENTIFICADOR \
         NUMEROFUNCIONARIO NUMERODEFUNCIONARIO IDFUNCIONARIO NUMEROMECANOGRAFICO MATRICULA CODIGOFUNCIONARIO",
    ),
    (
        Email,
        "MAIL EMAILADDRESS EMAILADDR MAILADDRESS EMAILID SMTPADDRESS PRIMARYSMTPADDRESS ELECTRONICMAIL \
         COURRIEL ADRESSECOURRIEL ADRESSEEMAIL ADRESSEMAIL ADRESSEELECTRONIQUE MEL \
         EMAILADRESSE MAILADRESSE EPOST \
         CORREO CORREOELECTRONICO DIRECCIONDECORREO DIRECCIONCORREO \
         CORREIOELETRONICO CORREIOELECTRONICO ENDERECODEEMAIL ENDERECOEMAIL",
    ),
    (
        BadgeNumber,
        "BADGE BADGENO BADGENUM BADGENR BADGEID BADGECODE SHIELD SHIELDNO SHIELDNUMBER STAR STARNO STARNUMBER \
         COLLARNO COLLARNUMBER WARRANTNO WARRANTNUMBER IDCARDNUMBER \
         NUMEROBADGE NUMERODEBADGE NOBADGE NODEBADGE INSIGNE NUMEROINSIGNE NUMERODINSIGNE \
         DIENSTNUMMER DIENSTNR DIENSTMARKE DIENSTMARKENNUMMER AUSWEISNUMMER AUSWEISNR \
         PLACA NUMEROPLACA NUMERODEPLACA NOPLACA CREDENCIAL \
         DISTINTIVO NUMERODISTINTIVO NUMERODODISTINTIVO CRACHA NUMERODOCRACHA",
    ),
    (
        FirstName,
        "FIRST GIVENNAME GIVEN FORENAME FNAME NAMEFIRST CHRISTIANNAME \
         PRENOM PRENOMS VORNAME VORNAMEN RUFNAME \
         NOMBRES NOMBREDEPILA PRIMERNOMBRE PRIMEIRONOME NOMEPROPRIO NOMESPROPRIOS",
    ),
    (
        LastName,
        "LAST SURNAME SN FAMILYNAME LNAME NAMELAST \
         NOMDEFAMILLE PATRONYME NACHNAME FAMILIENNAME ZUNAME \
         APELLIDO APELLIDOS PRIMERAPELLIDO APELIDO APELIDOS SOBRENOME SOBRENOMES ULTIMONOME",
    ),
    (
        Status,
        "ACTIVE ISACTIVE ACTIVEFLAG ENABLED ISENABLED ACCOUNTENABLED EMPSTATUS EMPLOYMENTSTATUS EMPLOYEESTATUS \
         ACCOUNTSTATUS USERSTATUS DUTYSTATUS DUTY CURRENTSTATUS STATUSCODE \
         STATUT ETAT ACTIF AKTIV ZUSTAND BESCHAFTIGUNGSSTATUS \
         ESTADO ESTATUS ACTIVO ATIVO SITUACAO SITUACION",
    ),
    (
        Username,
        "LOGIN LOGINID LOGINNAME LOGON LOGONNAME USERLOGIN USERLOGON ACCOUNTNAME SAMACCOUNTNAME NETWORKID NETID UID \
         WINDOWSLOGIN SIGNIN SIGNINNAME SCREENNAME \
         NOMUTILISATEUR NOMDUTILISATEUR IDENTIFIANTDECONNEXION UTILISATEUR \
         BENUTZERNAME BENUTZER BENUTZERKENNUNG ANMELDENAME KENNUNG NUTZERNAME \
         USUARIO NOMBREUSUARIO NOMBREDEUSUARIO \
         UTILIZADOR NOMEUTILIZADOR NOMEDEUTILIZADOR NOMEDEUSUARIO NOMEUSUARIO",
    ),
    (
        Role,
        "ROLENAME USERROLE SECURITYROLE ACCESSROLE JOBROLE ROLLE BENUTZERROLLE ROL PAPEL",
    ),
    (
        SupervisorEmail,
        "SUPERVISOR SUPERVISORMAIL SUPERVISOREMAILADDRESS MANAGER MANAGEREMAIL MANAGERMAIL MANAGEREMAILADDRESS REPORTSTO \
         REPORTSTOEMAIL LINEMANAGER LINEMANAGEREMAIL BOSS BOSSEMAIL \
         SUPERIEUR SUPERIEURHIERARCHIQUE COURRIELSUPERIEUR COURRIELDUSUPERIEUR RESPONSABLE EMAILRESPONSABLE \
         COURRIELRESPONSABLE COURRIELDURESPONSABLE \
         VORGESETZTER VORGESETZTE EMAILVORGESETZTER EMAILVORGESETZTE VORGESETZTEREMAIL \
         JEFE JEFEDIRECTO CORREOJEFE CORREODELJEFE CORREOSUPERVISOR CORREODELSUPERVISOR EMAILSUPERVISOR \
         CHEFE CHEFIA SUPERIOR EMAILCHEFE EMAILDOCHEFE EMAILDOSUPERVISOR",
    ),
    (
        Rank,
        "RANKNAME RANKTITLE RANKCODE GRADE RANG DIENSTGRAD AMTSBEZEICHNUNG GRADO RANGO GRADUACION POSTO PATENTE GRADUACAO",
    ),
    (
        EvidenceGroupExtId,
        "EVIDENCEGROUP EVIDENCEGROUPID EVIDENCEGROUPEXTERNALID EVIDENCEGROUPCODE GROUPEXTERNALID",
    ),
    (
        Phone,
        "PHONENUMBER PHONENO TELEPHONE TELEPHONENUMBER TELEPHONENO TEL TELNO MOBILE MOBILEPHONE MOBILENUMBER MOBILENO \
         CELL CELLPHONE CELLPHONENUMBER CELLNUMBER \
         PORTABLE NUMERODETELEPHONE TELEPHONEPORTABLE \
         TELEFON TELEFONNUMMER TELEFONNR HANDY HANDYNUMMER MOBIL MOBILTELEFON MOBILNUMMER RUFNUMMER \
         TELEFONO TELEFONOMOVIL NUMERODETELEFONO CELULAR MOVIL \
         TELEFONE TELEMOVEL NUMERODETELEFONE",
    ),
];

/// Names that may mean a column, if the file has no better one.
const WEAK: &[(Column, &str)] = &[
    (ExternalId, "ID"),
    (Email, "USERPRINCIPALNAME UPN"),
    (Username, "USER USERID ACCOUNT COMPTE KONTO CUENTA CONTA"),
    (Status, "STATE SITUATION"),
    (Phone, "CONTACT CONTACTNUMBER"),
];

/// Names of columns with names of people, by the order of the parts.
const PERSON: &[(NameOrder, &str)] = &[
    (
        NameOrder::FirstLast,
        "NAME FULLNAME DISPLAYNAME EMPLOYEENAME OFFICERNAME MEMBERNAME STAFFNAME USERFULLNAME MEMBER OFFICER EMPLOYEE CN \
         COMMONNAME VOLLERNAME VORUNDNACHNAME NOMBRECOMPLETO NOMBREYAPELLIDOS NOMECOMPLETO",
    ),
    (
        NameOrder::LastFirst,
        "LASTFIRST LASTNAMEFIRSTNAME SURNAMEFIRSTNAME NOMPRENOM NOMETPRENOM NOMPRENOMS NAMEVORNAME NACHNAMEVORNAME \
         APELLIDOSYNOMBRE APELLIDOSYNOMBRES APELLIDOSNOMBRES",
    ),
    (NameOrder::Unsaid, "NOM NOMCOMPLET NOMBRE NOME"),
];

/// Names of columns with what somebody does, which may be a role or a rank.
const JOB: &str = "TITLE JOBTITLE JOB POSITION FUNCTION DESIGNATION CLASSIFICATION CLASS PROFILE USERTYPE EMPLOYEETYPE \
    FONCTION POSTE PROFIL TITRE FUNKTION STELLE CARGO PUESTO FUNCION PERFIL FUNCAO";

/// Names of columns with the place of work, which may be a group.
const UNIT: &str = "ASSIGNMENT GROUP GROUPID GROUPCODE GROUPNAME DEPARTMENT DEPT DEPARTMENTCODE DEPTCODE DIVISION UNIT TEAM \
    SQUAD STATION PRECINCT DISTRICT SECTION BUREAU SITE ORGUNIT \
    GROUPE SERVICE DEPARTEMENT UNITE BRIGADE EQUIPE GRUPPE ABTEILUNG DIENSTSTELLE REFERAT \
    GRUPO DEPARTAMENTO UNIDAD SECCION COMISARIA SETOR UNIDADE SECAO ESQUADRA";

/// Names of columns in which "yes" means that the account is not active.
const INVERTED: &str = "DISABLED ISDISABLED ACCOUNTDISABLED INACTIVE ISINACTIVE TERMINATED ISTERMINATED ARCHIVED \
    DELETED INACTIF INAKTIV DEAKTIVIERT INACTIVO INATIVO BAJA DESATIVADO";

/// Bytes of the longest name that may be known.
const LONGEST: usize = 64;

/// Words that only say whose value it is, or which of several.
const QUALIFIERS: &str = "WORK BUSINESS PRIMARY OFFICIAL EMPLOYEE EMP STAFF MEMBER OFFICER PERSON PERSONNEL USER LEGAL CURRENT PROFESSIONNEL PROFESSIONNELLE AGENT DIENSTLICH \
    DIENSTLICHE MITARBEITER EMPLEADO LABORAL FUNCIONARIO PROFISSIONAL";

/// Returns what a name says about the cells of its column, if anything.
pub(super) fn meaning(name: &str) -> Option<NameHint> {
    if name.len() > LONGEST {
        return None;
    }
    if let Some(column) = own_column(name) {
        return Some(NameHint::Own(column));
    }
    let whole = compared(name);
    of_compared(&whole).or_else(|| {
        let is_qualifier = |word: &String| QUALIFIERS.split_ascii_whitespace().any(|q| q == word);
        let words = words(name).into_iter();
        let rest: String = words.filter(|word| !is_qualifier(word)).collect();
        match (rest != whole).then(|| of_compared(&rest)).flatten()? {
            NameHint::Common(column) => Some(NameHint::Qualified(column)),
            other => Some(other),
        }
    })
}

/// What each name means, by its compared form.
static MEANINGS: LazyLock<HashMap<&str, NameHint>> = LazyLock::new(|| {
    let listed = |table: &'static [(Column, &str)], named: fn(Column) -> NameHint| {
        let columns = table.iter();
        columns.flat_map(move |(column, names)| {
            names
                .split_ascii_whitespace()
                .map(move |name| (name, named(*column)))
        })
    };
    let of_kind = |names: &'static str, named: NameHint| {
        names
            .split_ascii_whitespace()
            .map(move |name| (name, named))
    };
    let people = PERSON.iter();
    let people = people.flat_map(|(order, names)| of_kind(names, NameHint::Person(*order)));
    listed(COMMON, NameHint::Common)
        .chain(listed(WEAK, NameHint::Weak))
        .chain(people)
        .chain(of_kind(JOB, NameHint::Job))
        .chain(of_kind(UNIT, NameHint::Unit))
        .chain(of_kind(INVERTED, NameHint::Inverted))
        .chain([("USERACCOUNTCONTROL", NameHint::AccountControl)])
        .collect()
});

fn of_compared(name: &str) -> Option<NameHint> {
    let own = |own: &Column| {
        own.header()
            .bytes()
            .filter(|byte| *byte != b'_')
            .eq(name.bytes())
    };
    match Column::ALL.into_iter().find(own) {
        Some(own) => Some(NameHint::Common(own)),
        None => MEANINGS.get(name).copied(),
    }
}

/// Returns the letters and digits of a text, in upper case and without accents. `#` and `№` are read as "no".
pub(super) fn compared(text: &str) -> String {
    words(text).concat()
}

/// Returns the words of a text, each as [`compared`]. A capital after a small letter begins a word.
fn words(text: &str) -> Vec<String> {
    let text = text.replace(['#', '№'], " NO ").replace(['°', 'º'], "o");
    let text = text.replace("'s ", " ").replace("’s ", " ");
    let plain = Normalizer::new_nfkd().normalize(&text);
    let is_accent = |c: &char| matches!(c, '\u{300}'..='\u{36F}');
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in plain.chars().filter(|c| !is_accent(c)) {
        let begins = !c.is_alphanumeric() || (c.is_uppercase() && before.is_lowercase());
        if begins && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if let (true, Some(word)) = (c.is_alphanumeric(), words.last_mut()) {
            word.extend(c.to_uppercase());
        }
        before = c;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_common_use_are_known_in_five_languages() {
        for (names, column) in [
            (
                "Employee No|Employee #|employeeID|Emp. No.|Matricule|Personal-Nr.|Legajo|Matrícula|objectGUID",
                ExternalId,
            ),
            (
                "Work E-mail|E-Mail-Adresse|mail|Courriel|Correo electrónico|Email (work)|Endereço de e-mail",
                Email,
            ),
            (
                "Badge #|Shield No|N° de badge|Dienstnummer|Placa|Distintivo",
                BadgeNumber,
            ),
            (
                "Given Name|givenName|Prénom|Vorname|First|Primer nombre|Primeiro nome",
                FirstName,
            ),
            (
                "Surname|sn|Nom de famille|Nachname|Apellidos|Sobrenome",
                LastName,
            ),
            (
                "Emp Status|Employment Status|État|Statut|Estado|Enabled|Situação",
                Status,
            ),
            (
                "Login|sAMAccountName|Benutzername|Nom d'utilisateur|Usuario|Utilizador",
                Username,
            ),
            (
                "Reports To|Manager's e-mail|Line Manager|Vorgesetzter|Supérieur|Jefe|Chefe",
                SupervisorEmail,
            ),
            ("Dienstgrad|Grade|Rango|Posto", Rank),
            (
                "Mobile|Cell Phone|Tel.|Téléphone|Handy|Teléfono móvil|Telemóvel|telephoneNumber",
                Phone,
            ),
        ] {
            for name in names.split('|') {
                let found = meaning(name);
                let is_it = found == Some(NameHint::Common(column))
                    || found == Some(NameHint::Qualified(column));
                assert!(is_it, "{name}: {found:?}");
            }
        }
    }

    #[test]
    fn names_of_other_things_are_not_known() {
        for name in [
            "Hire Date",
            "Emergency phone",
            "Supervisor phone",
            "Home e-mail",
            "Manager ID",
            "Maiden name",
            "Salary",
            "Agency ID",
            "Agency E-mail",
            "Company e-mail",
            "No.",
            "#",
            "Nr",
            "Code",
            "Account locked",
            "",
            "?",
        ] {
            assert_eq!(meaning(name), None, "{name}");
        }
    }

    #[test]
    fn each_name_has_one_meaning() {
        let columns = COMMON.iter().chain(WEAK).map(|(_, names)| *names);
        let people = PERSON.iter().map(|(_, names)| *names);
        let lists = columns.chain(people).chain([JOB, UNIT, INVERTED]);
        let names: Vec<_> = lists.flat_map(str::split_ascii_whitespace).collect();
        for name in &names {
            assert_eq!(compared(name), *name);
            assert!(MEANINGS.contains_key(name), "{name}");
        }
        let twice: Vec<_> = names
            .iter()
            .filter(|name| names.iter().filter(|other| other == name).count() > 1)
            .collect();
        assert!(twice.is_empty(), "{twice:?}");
    }
}
