//! The fields that every contact card has, and the fields that the mapping promises at Gorgias.

use super::FieldSource;
use crate::finding::ObjectKind;
use crate::leaddesk::Contact;
use crate::mapping::RowId;
use crate::settings::choice;

choice! {
    /// A field of LeadDesk's contact card, by its name there.
    ContactField {
        /// First name.
        FirstName = "fname",
        /// Last name.
        LastName = "lname",
        /// Email address.
        Email = "email",
        /// Numbers.
        Phone = "phone",
        /// Job title.
        Title = "title",
        /// Company name.
        Company = "company",
        /// Registration number of the company.
        CompanyRegistration = "companyid",
        /// VAT number.
        VatNumber = "vatin",
        /// Street address.
        Address = "address",
        /// Postal code.
        Postcode = "postcode",
        /// City.
        City = "city",
        /// Country.
        Country = "country",
        /// Web address.
        Web = "www",
        /// Free text.
        Comment = "comment",
        /// National id; never read into the store.
        NationalId = "ssc",
        /// Birth year; never read into the store.
        BirthYear = "birthyear",
        /// Gender; never read into the store.
        Gender = "gender",
    }
}

impl ContactField {
    /// What agents know it as, and its label on the lead card.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::FirstName => "First name",
            Self::LastName => "Last name",
            Self::Email => "Email",
            Self::Phone => "Phone",
            Self::Title => "Title",
            Self::Company => "Company",
            Self::CompanyRegistration => "Company registration",
            Self::VatNumber => "VAT number",
            Self::Address => "Address",
            Self::Postcode => "Postal code",
            Self::City => "City",
            Self::Country => "Country",
            Self::Web => "Web",
            Self::Comment => "Comment",
            Self::NationalId => "Social security number",
            Self::BirthYear => "Birth year",
            Self::Gender => "Gender",
        }
    }

    /// Whether the mapping never takes it, so that no extract holds it.
    #[must_use]
    pub fn is_withheld(self) -> bool {
        matches!(self, Self::NationalId | Self::BirthYear | Self::Gender)
    }

    /// Whether it stands on the lead card unless a person gives it a field.
    #[must_use]
    pub fn is_card(self) -> bool {
        !self.is_withheld() && !matches!(self, Self::FirstName | Self::LastName | Self::Email | Self::Phone)
    }

    /// Its value on a card; withheld fields and numbers have none here.
    #[must_use]
    pub fn value(self, contact: &Contact) -> Option<&str> {
        let value = match self {
            Self::FirstName => &contact.first_name,
            Self::LastName => &contact.last_name,
            Self::Email => &contact.email,
            Self::Phone => return contact.phones.first().map(String::as_str),
            Self::Title => &contact.title,
            Self::Company => &contact.company,
            Self::CompanyRegistration => &contact.company_registration,
            Self::VatNumber => &contact.vat_number,
            Self::Address => &contact.address,
            Self::Postcode => &contact.postcode,
            Self::City => &contact.city,
            Self::Country => &contact.country,
            Self::Web => &contact.www,
            Self::Comment => &contact.comment,
            Self::NationalId | Self::BirthYear | Self::Gender => return None,
        };
        value.as_deref()
    }
}

choice! {
    /// A field at Gorgias that the mapping promises in every account.
    FixedField {
        /// Latest outcome of a lead's calls.
        Disposition = "disposition",
        /// Status of the lead.
        LeadStatus = "lead-status",
        /// Blacklist or consent field.
        EmailOptOut = "email-opt-out",
        /// Numbers that cannot be normalised.
        RawPhone = "phone-as-received",
    }
}

impl FixedField {
    /// Where its values come from.
    #[must_use]
    pub fn source(self) -> FieldSource {
        match self {
            Self::Disposition => FieldSource::Disposition,
            Self::LeadStatus => FieldSource::LeadStatus,
            Self::EmailOptOut => FieldSource::EmailOptOut,
            Self::RawPhone => FieldSource::RawPhone,
        }
    }

    /// The row of a proposal on which it is decided.
    #[must_use]
    pub fn row(self) -> RowId {
        match self {
            Self::Disposition => RowId::new(ObjectKind::Outcome, "latest"),
            Self::LeadStatus => RowId::new(ObjectKind::Lead, "status"),
            Self::EmailOptOut => RowId::new(ObjectKind::BlacklistEntry, "opt-out"),
            Self::RawPhone => RowId::new(ObjectKind::Contact, "phone-as-received"),
        }
    }
}
