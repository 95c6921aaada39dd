//! Words for the meanings of fields, in the languages of LeadDesk's markets.
//!
//! Finnish, Swedish, Norwegian, Danish, Estonian, German, Dutch, Spanish and English side by side: a label is not asked
//! for its language, since labels of one account mix them. Words are compared without case and accents.

use super::Concept;

/// Meanings with their words; of two that fit equally well the earlier counts.
pub(super) const WORDS: &[(Concept, &str)] = &[
    (
        Concept::Sensitive,
        "ssn, ssc, social security number, national id, national insurance number, personal id, date of birth, birth date, \
         birthday, birth year, year of birth, dob, gender, sex, bank account, account number iban, iban, bic, credit card, \
         card number, passport, passport number, religion, health, diagnosis, salary, monthly income, ethnicity, \
         henkilötunnus, hetu, sotu, syntymäaika, syntymäpäivä, syntymävuosi, sukupuoli, tilinumero, pankkitili, luottokortti, \
         passinumero, uskonto, terveystiedot, diagnoosi, palkka, tulot, \
         personnummer, födelsedatum, födelsedag, födelseår, kön, bankkonto, kontonummer, clearingnummer, kreditkort, \
         passnummer, hälsa, diagnos, lön, månadslön, årslön, nettolön, personnr, pers nr, \
         fødselsnummer, fødselsdato, fødselsår, kjønn, helse, lønn, inntekt, personnr, fødselsnr, fnr, \
         cpr, cpr-nummer, cpr-nr, fødselsdag, køn, reg og kontonummer, helbred, indkomst, \
         isikukood, sünniaeg, sünnipäev, sünniaasta, sugu, pangakonto, kontonumber, krediitkaart, passi number, tervis, \
         palk, sissetulek, \
         sozialversicherungsnummer, geburtsdatum, geburtstag, geburtsjahr, geschlecht, bankverbindung, kreditkarte, \
         reisepass, ausweisnummer, personalausweis, gesundheit, konfession, gehalt, einkommen, steuer-id, \
         bsn, burgerservicenummer, geboortedatum, geboortejaar, verjaardag, geslacht, bankrekening, rekeningnummer, \
         paspoortnummer, gezondheid, salaris, inkomen, geloof, \
         dni, nif, nie, dni/nie, número de la seguridad social, fecha de nacimiento, nacimiento, año de nacimiento, \
         cumpleaños, sexo, género, cuenta bancaria, número de cuenta, tarjeta de crédito, pasaporte, salud, sueldo, \
         ingresos, religión",
    ),
    (
        Concept::OptOut,
        "opt out, opted out, opt-out, do not contact, do not call, do not email, no marketing, unsubscribed, dnc, refuses \
         marketing, marketing ban, \
         markkinointikielto, suoramarkkinointikielto, soittokielto, ei saa soittaa, yhteydenottokielto, kielto, \
         reklamspärr, ringspärr, nix, spärrad, ej kontakta, avböjt reklam, \
         reservert, reservasjon, ikke ring, ikke kontakt, reklamesperre, \
         robinson, ikke kontaktes, frabedt reklame, reklamespærre, \
         keeld, turunduskeeld, ei soovi reklaami, mitte helistada, \
         werbesperre, werbewiderspruch, kontaktsperre, nicht anrufen, abgemeldet, widerspruch werbung, \
         niet bellen, bel-me-niet, geen reclame, uitgeschreven, niet benaderen, afgemeld, \
         no llamar, no contactar, lista robinson, baja publicidad, no molestar, rechaza publicidad",
    ),
    (
        Concept::Consent,
        "consent, marketing consent, email consent, sms consent, marketing permission, permission, opt in, opted in, opt-in, \
         newsletter, gdpr consent, gdpr, accepts marketing, may contact, subscribed, \
         suostumus, markkinointilupa, sähköpostilupa, tekstiviestilupa, lupa, uutiskirje, tietosuojasuostumus, saa lähettää, \
         samtycke, marknadsföringstillstånd, godkänner utskick, nyhetsbrev, tillåter reklam, mailtillstånd, utskick ok, \
         samtykke, markedsføringssamtykke, godtar markedsføring, epostsamtykke, tillatelse, \
         tilladelse, markedsføringstilladelse, accepterer markedsføring, nyhedsbrev, \
         nõusolek, turundusnõusolek, uudiskiri, luba, lubab reklaami, \
         einwilligung, werbeeinwilligung, werbeerlaubnis, zustimmung, dsgvo, rundbrief, einverständnis, \
         toestemming, marketingtoestemming, nieuwsbrief, akkoord mailing, avg akkoord, avg, \
         consentimiento, acepta publicidad, boletín, permiso marketing, acepta comunicaciones, rgpd, lopd, suscrito",
    ),
    (
        Concept::Technical,
        "import id, import data, import batch, batch id, source file, file name, row id, row number, record id, guid, uuid, hash, \
         checksum, external key, internal id, sync id, crm guid, session id, lead id, list id, database id, \
         tuontierä, tuonti id, tuontitiedosto, rivinumero, rivi id, sisäinen tunnus, lähdetiedosto, tietokanta id, \
         importid, importfil, radnummer, intern id, källfil, rad id, \
         importbatch, radnr, internt id, kildefil, \
         importfil id, rækkenummer, \
         impordi id, impordifail, reanumber, sisemine id, lähtefail, \
         importdatei, importlauf, zeilennummer, interne id, datensatz id, datensatznummer, quelldatei, \
         importbestand, rijnummer, interne sleutel, regel id, bronbestand, \
         id importación, archivo de origen, número de fila, id interno, lote importación, fichero origen",
    ),
    (
        Concept::OtherPerson,
        "sales rep, salesperson, account manager, agent, agent name, owner, responsible, handled by, assigned to, seller, \
         broker, partner, spouse, referral, referred by, emergency contact, landlord, \
         myyjä, vastuuhenkilö, asiakasvastaava, edustaja, puoliso, kumppani, suosittelija, isännöitsijä, agentti, käsittelijä, \
         säljare, kundansvarig, ansvarig, handläggare, make, maka, sambo, mäklare, fastighetsskötare, \
         selger, kundeansvarlig, ansvarlig, saksbehandler, ektefelle, samboer, \
         sælger, sagsbehandler, ægtefælle, samlever, mægler, \
         müüja, haldur, kliendihaldur, vastutaja, abikaasa, elukaaslane, \
         verkäufer, betreuer, kundenbetreuer, ansprechpartner intern, bearbeiter, vertreter, ehepartner, vermieter, hausverwalter, \
         verkoper, accountmanager, behandelaar, partner van, verhuurder, tussenpersoon, \
         vendedor, comercial, responsable, asesor, gestor, cónyuge, pareja",
    ),
    (Concept::Fax, "fax, faksi, faks, telefax, fax number, faxnummer, faxnr"),
    (
        Concept::Email,
        "email, e-mail, email address, mail, mail address, secondary email, billing email, contact email, work email, \
         sähköposti, sähköpostiosoite, s-posti, sposti, meili, laskutussähköposti, \
         e-post, epost, e-postadress, mejl, mejladress, mailadress, faktura e-post, \
         e-postadresse, epostadresse, mailadresse, e-mailadresse, e-mailadress, emailadress, \
         e-posti aadress, e-post aadress, meil, meiliaadress, epost aadress, eposti aadress, \
         e-mail-adresse, emailadresse, mailanschrift, \
         e-mailadres, mailadres, emailadres, \
         correo, correo electrónico, correo-e, dirección de correo, email cliente",
    ),
    (
        Concept::Phone,
        "phone, phone number, telephone, mobile, mobile number, cell, cell phone, tel, tel no, mob, home phone, work phone, \
         secondary phone, alternative phone, callback number, contact number, whatsapp, switchboard, landline, gsm, \
         puhelin, puhelinnumero, puh, matkapuhelin, kännykkä, gsm-numero, lankapuhelin, työpuhelin, vaihde, puhnro, \
         telefon, telefonnummer, mobil, mobilnummer, mobiltelefon, hemtelefon, tfn, telnr, mobilnr, växel, arbetstelefon, \
         tlf, telefonnr, mobiltlf, hjemmetelefon, sentralbord, direktenummer, \
         tlfnr, hovednummer, hjemmetlf, \
         telefoninumber, mobiilinumber, mobiil, tel nr, lauatelefon, kontakttelefon, \
         rufnummer, handy, handynummer, festnetz, mobilfunk, durchwahl, telefonzentrale, \
         telefoon, telefoonnummer, mobiel, mobiele nummer, telnummer, vaste lijn, gsm nummer, \
         teléfono, móvil, celular, tfno, telf, número de teléfono, teléfono fijo",
    ),
    (
        Concept::Name,
        "name, full name, first name, last name, surname, given name, contact person, contact name, customer name, forename, \
         nimi, etunimi, sukunimi, koko nimi, yhteyshenkilö, asiakkaan nimi, \
         namn, förnamn, efternamn, kontaktperson, kundens namn, fullständigt namn, \
         navn, fornavn, etternavn, fullt navn, kundenavn, kontaktnavn, \
         efternavn, fulde navn, kundens navn, \
         eesnimi, perekonnanimi, täisnimi, kontaktisik, kliendi nimi, \
         vorname, nachname, familienname, vollständiger name, ansprechpartner, kundenname, \
         naam, voornaam, achternaam, contactpersoon, volledige naam, klantnaam, \
         nombre, apellido, apellidos, nombre completo, persona de contacto, nombre y apellidos",
    ),
    (
        Concept::Postcode,
        "postcode, postal code, zip, zip code, post code, postinumero, postinro, pnro, postnummer, postnr, postkod, \
         sihtnumber, postiindeks, indeks, plz, postleitzahl, código postal, cp, cod postal",
    ),
    (
        Concept::Address,
        "address, street, street address, delivery address, billing address, visiting address, home address, \
         osoite, katuosoite, toimitusosoite, laskutusosoite, käyntiosoite, lähiosoite, \
         adress, gatuadress, leveransadress, fakturaadress, besöksadress, \
         adresse, gateadresse, leveringsadresse, fakturaadresse, besøksadresse, gadeadresse, \
         aadress, tänav, tarneaadress, arveaadress, \
         anschrift, straße, lieferadresse, lieferanschrift, rechnungsadresse, hausanschrift, \
         adres, straat, bezorgadres, afleveradres, factuuradres, \
         dirección, calle, domicilio, dirección de entrega, dirección de facturación",
    ),
    (
        Concept::City,
        "city, town, municipality, kaupunki, postitoimipaikka, paikkakunta, kunta, ort, postort, stad, kommun, poststed, sted, \
         kommune, by, bynavn, linn, asula, vald, stadt, wohnort, gemeinde, plaats, woonplaats, gemeente, ciudad, población, \
         localidad, municipio",
    ),
    (
        Concept::Country,
        "country, country code, maa, maakoodi, land, landkod, landskode, riik, landeskennzeichen, landcode, país",
    ),
    (
        Concept::Language,
        "language, preferred language, kieli, asiointikieli, språk, sprog, keel, suhtluskeel, sprache, taal, voorkeurstaal, idioma",
    ),
    (
        Concept::CompanyId,
        "company id, company number, registration number, business id, org no, y-tunnus, ytunnus, ly-tunnus, \
         organisationsnummer, orgnr, org nr, organisasjonsnummer, cvr, cvr-nummer, cvr nr, registrikood, äriregistri kood, \
         handelsregisternummer, hrb, kvk, kvk-nummer, cif, número de registro",
    ),
    (
        Concept::Vat,
        "vat, vat number, vat id, vat no, alv-numero, alv-tunnus, momsnummer, momsregnr, mva-nummer, momsnr, kmkr, käibemaksunumber, \
         ust-id, ustidnr, umsatzsteuer-id, btw-nummer, btw nr, nif iva, número iva",
    ),
    (
        Concept::Company,
        "company, company name, employer, organisation, organization, business name, yritys, yrityksen nimi, työnantaja, \
         organisaatio, företag, företagsnamn, arbetsgivare, bolag, firma, firmanavn, bedrift, arbeidsgiver, virksomhed, \
         arbejdsgiver, ettevõte, tööandja, firma nimi, firmenname, unternehmen, arbeitgeber, bedrijf, bedrijfsnaam, werkgever, \
         empresa, razón social, compañía",
    ),
    (
        Concept::JobTitle,
        "job title, title, position, role, occupation, profession, titteli, ammatti, asema, tehtävänimike, titel, befattning, yrke, \
         tittel, stilling, stillingsbetegnelse, amet, ametikoht, ametinimetus, beruf, funktion, functie, beroep, cargo, puesto, \
         profesión",
    ),
    (
        Concept::Web,
        "website, web site, web, url, homepage, www, home page, verkkosivu, kotisivu, kotisivut, verkkosivut, nettisivu, hemsida, \
         webbplats, webbsida, nettside, hjemmeside, websted, veebileht, koduleht, webseite, webadresse, internetseite, \
         webpagina, página web, sitio web",
    ),
    (
        Concept::CustomerNumber,
        "customer number, customer no, customer id, client number, client id, account number, account no, member number, \
         membership number, member id, loyalty number, \
         asiakasnumero, asiakasnro, asiakastunnus, jäsennumero, asnro, \
         kundnummer, kundnr, kund id, medlemsnummer, \
         kundenummer, kundenr, kunde id, medlemsnr, \
         kliendinumber, kliendi number, kliendikood, kliendi nr, liikmenumber, \
         kundennummer, kundennr, kdnr, mitgliedsnummer, \
         klantnummer, klantnr, lidnummer, relatienummer, relatienr, debiteurnummer, debiteurnr, \
         número de cliente, nº cliente, código de cliente, número de socio, num cliente",
    ),
    (
        Concept::ContractNumber,
        "contract number, contract no, contract id, agreement number, policy number, subscription number, \
         sopimusnumero, sopimusnro, sopimustunnus, liittymänumero, vakuutusnumero, \
         avtalsnummer, avtalsnr, kontraktsnummer, abonnemangsnummer, försäkringsnummer, \
         avtalenummer, kontraktsnr, avtalenr, abonnementsnummer, polisenummer, \
         kontraktnummer, aftalenummer, aftalenr, \
         lepingu number, lepingu nr, lepingunumber, poliisi number, \
         vertragsnummer, vertragsnr, versicherungsnummer, \
         contractnummer, contractnr, polisnummer, \
         número de contrato, nº contrato, número de póliza, num contrato",
    ),
    (
        Concept::ContractEnd,
        "contract end, contract end date, end date, expiry, expires on, end of contract, contract ends, contract until, expiry date, expires, expiration, contract expires, renewal date, valid until, \
         sopimus päättyy, sopimuksen päättymispäivä, päättymispäivä, voimassa asti, sopimuskausi päättyy, määräaika päättyy, sopimuksen loppu, loppupäivä, sop päättyy, päättyy, \
         avtal slutar, avtalsslut, slutdatum, avtalets slutdatum, giltig till, bindningstid slut, förfaller, avtal till, bindningstid tom, löper ut, \
         avtaleslutt, sluttdato, avtale utløper, utløpsdato, gyldig til, bindingstid slutt, \
         kontraktudløb, slutdato, udløbsdato, aftale udløber, udløber, binding slutter, \
         lepingu lõpp, lõppkuupäev, lepingu lõppkuupäev, kehtib kuni, aegub, lepingu lõpukuupäev, \
         vertragsende, vertragsablauf, laufzeit bis, vertrag bis, bindung bis, endet am, enddatum, laufzeitende, gültig bis, läuft ab, ablaufdatum, kündigung, kündigungsdatum, \
         einddatum, contract einddatum, einde contract, geldig tot, contract loopt af, vervaldatum, afloopdatum, contract tot, looptijd tot, eindigt op, \
         fin de contrato, fecha fin, fecha de vencimiento, vencimiento, válido hasta, caducidad, fin contrato, vencimiento contrato, vence, finaliza",
    ),
    (
        Concept::ContractStart,
        "contract start, start date, contract start date, customer since, member since, signed on, \
         sopimus alkaa, alkamispäivä, sopimuksen alku, asiakas alkaen, liittymispäivä, asiakkuus alkanut, \
         avtalsstart, startdatum, kund sedan, avtal börjar, tecknat, \
         avtalestart, startdato, kunde siden, avtale starter, \
         kontraktstart, aftalestart, oprettet, \
         lepingu algus, alguskuupäev, klient alates, lepingu alguskuupäev, \
         vertragsbeginn, beginn, kunde seit, vertragsstart, laufzeitbeginn, \
         ingangsdatum, begindatum, klant sinds, start contract, \
         inicio de contrato, fecha de inicio, cliente desde, fecha inicio, fecha de alta",
    ),
    (
        Concept::Segment,
        "segment, customer segment, customer class, class, level, tier, loyalty level, category, customer group, customer type, \
         asiakasryhmä, asiakasluokka, segmentti, luokka, taso, kanta-asiakastaso, asiakastyyppi, \
         kundgrupp, kundklass, kundsegment, nivå, kundkategori, kundtyp, \
         kundegruppe, kundeklasse, kundesegment, kundetype, kundekategori, \
         kundeniveau, niveau, \
         kliendigrupp, klienditase, kliendiklass, segment nimi, kategooria, klienditüüp, \
         kundengruppe, kundenklasse, kundensegment, kundenart, stufe, kategorie, kundenkategorie, \
         klantgroep, klantsegment, klantklasse, klanttype, categorie, \
         segmento, tipo de cliente, grupo de clientes, categoría, nivel",
    ),
    (
        Concept::OrderCount,
        "order count, orders, number of orders, purchases, number of purchases, \
         tilausten määrä, tilausmäärä, tilauksia, ostokerrat, tilaukset lkm, \
         antal ordrar, antal order, antal köp, orderantal, \
         antall ordrer, antall kjøp, ordreantall, antal ordrer, antal køb, antall bestillinger, \
         tellimuste arv, ostude arv, tellimusi, \
         anzahl bestellungen, bestellungen, anzahl käufe, anzahl aufträge, bestellanzahl, auftragsanzahl, bestellmenge, \
         aantal bestellingen, bestellingen, aantal aankopen, aantal orders, \
         número de pedidos, pedidos, nº pedidos, cantidad de compras, compras",
    ),
    (
        Concept::Amount,
        "amount, price, total, bill, costs, revenue, turnover, balance, discount, budget, value, monthly fee, fee, cost, credit limit, \
         hinta, summa, liikevaihto, saldo, alennus, kuukausimaksu, budjetti, arvo, kulutus, luottoraja, \
         pris, belopp, omsättning, rabatt, månadsavgift, budget kr, förbrukning, kreditgräns, \
         beløp, omsetning, månedspris, forbruk, \
         beløb, omsætning, rabat, månedspris kr, forbrug, \
         hind, käive, soodustus, kuutasu, eelarve, tarbimine, \
         preis, betrag, umsatz, kontostand, monatsbeitrag, verbrauch, kosten, \
         prijs, bedrag, omzet, korting, maandbedrag, verbruik, \
         precio, importe, facturación, descuento, cuota, presupuesto, consumo, saldo pendiente",
    ),
    (
        Concept::Count,
        "count, quantity, qty, number of, employees, households, rooms, children, persons, score, \
         määrä, lukumäärä, lkm, kpl, työntekijöitä, henkilöstö, huoneita, lapsia, pisteet, ruokakunnan koko, \
         antal, anställda, rum, barn, poäng, antal personer, hushållsstorlek, \
         antall, ansatte, rom, poengsum, antall personer, \
         medarbejdere, værelser, børn, husstandsstørrelse, \
         arv, töötajate arv, tubade arv, laste arv, punktid, \
         anzahl, menge, stückzahl, mitarbeiterzahl, zimmer, kinder, punkte, personenzahl, \
         aantal, medewerkers, kamers, kinderen, punten, \
         cantidad, número de empleados, empleados, habitaciones, hijos, puntos, unidades",
    ),
    (
        Concept::Date,
        "date, last contact, next contact, last order date, delivery date, callback date, visit date, meeting date, moved in, due date, \
         päivä, päivämäärä, pvm, viimeisin yhteydenotto, toimituspäivä, tapaaminen, muuttopäivä, eräpäivä, viimeisin tilaus, \
         datum, senaste kontakt, leveransdatum, möte, inflyttning, förfallodag, senaste order, \
         dato, siste kontakt, leveringsdato, møtedato, innflytting, forfallsdato, siste ordre, seneste ordre, \
         seneste kontakt, indflytning, \
         kuupäev, kp, viimane kontakt, tarnekuupäev, kohtumine, maksetähtaeg, \
         letzter kontakt, lieferdatum, termin, einzug, fälligkeit, letzte bestellung, \
         laatste contact, leverdatum, afspraak, laatste bestelling, bezoekdatum, \
         fecha, último contacto, fecha de entrega, cita, último pedido, fecha de visita",
    ),
    (
        Concept::Flag,
        "is active, active, has, owns, vip, paid, owner occupied, existing customer, interested, e-invoice, paperless, is customer, decision maker, \
         aktiivinen, maksettu, omistaja, kiinnostunut, e-lasku, onko asiakas, on asiakas, päättäjä, \
         aktiv, betald, intresserad, e-faktura, är kund, ägare, beslutsfattare, \
         betalt, interessert, er kunde, eier, efaktura, beslutningstaker, \
         interesseret, ejer, elektronisk faktura, \
         aktiivne, makstud, huvitatud, e-arve, on klient, omanik, \
         bezahlt, interessiert, e-rechnung, ist kunde, eigentümer, bestandskunde, entscheider, \
         actief, betaald, geïnteresseerd, is klant, eigenaar, e-factuur, beslisser, \
         activo, pagado, interesado, factura electrónica, es cliente, propietario",
    ),
    (
        Concept::Notes,
        "notes, note, comment, comments, remark, remarks, description, additional info, further information, free text, memo, delivery notes, \
         huomautus, huomio, kommentti, lisätieto, lisätiedot, muistiinpano, muistiinpanot, kuvaus, vapaa teksti, viesti, \
         anmärkning, anteckning, anteckningar, kommentar, beskrivning, övrigt, fritext, noteringar, \
         merknad, notat, notater, beskrivelse, øvrig, fritekst, \
         bemærkning, bemærkninger, noter, \
         märkus, märkused, kommentaar, lisainfo, kirjeldus, vaba tekst, \
         bemerkung, bemerkungen, anmerkung, notiz, notizen, beschreibung, freitext, sonstiges, hinweis, \
         opmerking, opmerkingen, notitie, notities, omschrijving, toelichting, vrije tekst, \
         notas, nota, comentario, comentarios, observaciones, descripción, texto libre",
    ),
    (
        Concept::LeadSource,
        "lead source, source, origin, channel, referrer, campaign source, lähde, liidin lähde, kanava, mistä kuuli, källa, leadkälla, kilde, \
         leadkilde, allikas, kanal, herkunft, quelle, leadquelle, herkomst, bron, leadbron, origen, fuente, procedencia",
    ),
    (
        Concept::Product,
        "product, current product, package, plan, subscription, service, model, brand, tuote, nykyinen tuote, paketti, liittymä, palvelu, malli, merkki, \
         produkt, paket, abonnemang, tjänst, modell, märke, pakke, abonnement, tjeneste, merke, mærke, toode, pakett, teenus, mudel, \
         artikel, tarif, dienst, product naam, pakket, merk, producto, paquete, tarifa, servicio, modelo, marca",
    ),
    (
        Concept::Supplier,
        "supplier, previous supplier, current supplier, provider, competitor, toimittaja, nykyinen toimittaja, edellinen toimittaja, kilpailija, operaattori, \
         leverantör, nuvarande leverantör, tidigare leverantör, konkurrent, leverandør, nåværende leverandør, nuværende leverandør, tarnija, praegune tarnija, \
         anbieter, aktueller anbieter, lieferant, vorversorger, wettbewerber, leverancier, huidige leverancier, aanbieder, proveedor, proveedor actual, competidor",
    ),
    (
        Concept::Identifier,
        "invoice number, invoice reference, order number, meter number, meter no, reference, reference number, ref, serial number, product code, article number, registration plate, code, ticket number, \
         laskunumero, tilausnumero, mittarinumero, käyttöpaikkanumero, viite, viitenumero, sarjanumero, tuotekoodi, rekisterinumero, \
         fakturanummer, ordernummer, mätarnummer, anläggnings-id, referens, serienummer, artikelnummer, registreringsnummer, \
         ordrenummer, målernummer, målepunkt, referanse, varenummer, reg nr, referencenummer, installationsnummer, \
         arve number, tellimuse number, arvesti number, viitenumber, seerianumber, tootekood, \
         rechnungsnummer, auftragsnummer, zählernummer, referenz, seriennummer, aktenzeichen, kennzeichen, bestellnummer, \
         factuurnummer, bestelnummer, meternummer, ean, referentie, kenteken, \
         número de factura, número de pedido, número de contador, cups, referencia, número de serie, matrícula, código",
    ),
];
