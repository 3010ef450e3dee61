"""Header names that people really use, by field; the first that a file has wins.

English, German, French, Spanish, Portuguese; exports of Shopify and WooCommerce; the
LaDe and Loggibud data sets; address extracts of OpenStreetMap. Folded: see `fold`.
"""

from apps.orders.imports.folding import fold

_WORDS: dict[str, str] = {
    "reference": (
        "reference, order reference, order ref, order number, order no, order id, "
        "order, orderid, ref, ref no, reference number, external id, delivery id, "
        "shipment id, tracking number, tracking id, consignment, consignment number, "
        "parcel id, package id, invoice number, auftragsnummer, auftragsnr, auftrag, "
        "auftrags nr, bestellnummer, bestellnr, bestell nr, bestellung, sendungsnummer, "
        "sendungsnr, lieferscheinnummer, lieferschein nr, referenz, referenznummer, "
        "referenznr, belegnummer, belegnr, numero de commande, no de commande, "
        "n commande, num commande, commande, reference commande, numero commande, "
        "numero de colis, numero de pedido, no de pedido, n pedido, num pedido, pedido, "
        "id pedido, pedido id, referencia, referencia pedido, numero do pedido, "
        "codigo do pedido, codigo pedido, numero de encomenda, encomenda, "
        "numero de envio, albaran, guia, nota fiscal, id"
    ),
    "depot": (
        "depot, depot code, depotcode, hub, hub code, warehouse code, niederlassung"
    ),
    "kind": (
        "kind, type, order type, stop type, job type, service type, art, auftragsart, "
        "type de commande, type d operation, tipo, tipo de pedido, tipo de servicio, "
        "tipo de servico"
    ),
    "service_date": (
        "service date, delivery date, date of delivery, planned date, scheduled date, "
        "requested date, requested delivery date, ship date, date, day, lieferdatum, "
        "liefertag, zustelldatum, termin, datum, date de livraison, "
        "date livraison, jour, fecha de entrega, fecha entrega, fecha, data de entrega, "
        "data entrega, data"
    ),
    "first_name": (
        "shipping first name, delivery first name, first name, vorname, prenom, "
        "nombre de pila, primeiro nome, billing first name"
    ),
    "last_name": (
        "shipping last name, delivery last name, last name, surname, family name, "
        "nachname, familienname, nom de famille, apellido, apellidos, sobrenome, "
        "apelido, billing last name"
    ),
    "name": (
        "shipping name, recipient, recipient name, consignee, consignee name, customer, "
        "customer name, receiver, receiver name, contact, contact name, full name, "
        "deliver to, ship to, ship to name, name, empfanger, empfanger name, "
        "empfangername, empfaenger, kunde, kundenname, name des empfangers, "
        "ansprechpartner, destinataire, nom du destinataire, nom du client, client, "
        "nom client, nom, destinatario, nombre del destinatario, nombre del cliente, "
        "cliente, nombre, nombre cliente, nome do destinatario, nome do cliente, "
        "nome cliente, nome, shipping company, company, firma, unternehmen, societe, "
        "entreprise, empresa, billing name"
    ),
    "phone": (
        "shipping phone, delivery phone, recipient phone, customer phone, phone, "
        "phone number, telephone, tel, mobile, mobile phone, mobile number, cell, "
        "cell phone, contact phone, contact number, telefon, telefonnummer, "
        "telefon nr, handy, handynummer, mobil, mobiltelefon, mobilnummer, rufnummer, "
        "numero de telephone, portable, tel portable, telefono, numero de telefono, "
        "movil, celular, telefone, telemovel, numero de telefone, billing phone"
    ),
    "email": (
        "email, e mail, email address, mail, customer email, recipient email, "
        "shipping email, e mail adresse, emailadresse, courriel, adresse email, "
        "adresse e mail, correo, correo electronico, correo e, endereco de email, "
        "billing email"
    ),
    "language": (
        "language, lang, locale, customer locale, sprache, langue, idioma, lingua"
    ),
    "address": (
        "full address, delivery address, shipping address, address, ship to address, "
        "customer address, lieferadresse, lieferanschrift, zustelladresse, adresse, "
        "anschrift, adresse de livraison, adresse complete, adresse livraison, "
        "direccion de entrega, direccion completa, direccion, endereco de entrega, "
        "endereco completo, endereco, morada, location name"
    ),
    "street": (
        "shipping street, shipping address1, shipping address 1, "
        "shipping address line 1, street, street name, street address, address1, "
        "address 1, address line 1, address line1, addr street, road, strasse, str, "
        "strasse hausnummer, strasse und hausnummer, strasse nr, rue, voie, "
        "adresse 1, calle, via, calle y numero, direccion 1, rua, logradouro, avenida, "
        "billing street, billing address1, billing address 1"
    ),
    "house_number": (
        "house number, housenumber, house no, street number, street no, building number, "
        "addr housenumber, hausnummer, hausnr, haus nr, hnr, numero de rue, "
        "numero de voie, num rue, numero, numero de calle, num, numero da casa, nr"
    ),
    "postcode": (
        "shipping zip, shipping postcode, shipping postal code, postcode, post code, "
        "postal code, zip, zip code, zipcode, addr postcode, plz, postleitzahl, "
        "code postal, cp, codigo postal, c postal, cod postal, cep, billing zip, "
        "billing postcode"
    ),
    "city": (
        "shipping city, city, town, locality, addr city, municipality, ort, stadt, "
        "wohnort, lieferort, ville, commune, localite, ciudad, poblacion, localidad, "
        "municipio, cidade, localidade, billing city"
    ),
    "lat": (
        "lat, latitude, gps lat, geo lat, delivery lat, dest lat, lat deg, breitengrad, "
        "breite, geogr breite, latitud, y coord"
    ),
    "lon": (
        "lon, lng, long, longitude, gps lon, gps lng, geo lon, geo lng, delivery lng, "
        "delivery lon, dest lng, dest lon, laengengrad, langengrad, laenge, lange, "
        "geogr lange, longitud, x coord"
    ),
    "coordinates": (
        "coordinates, coords, gps, gps coordinates, lat lon, lat lng, latlng, latlon, "
        "geo, geolocation, geo location, koordinaten, gps koordinaten, coordonnees, "
        "coordonnees gps, coordenadas, coordenadas gps, wkt, geometry"
    ),
    "windows": (
        "time windows, time window, windows, window, delivery window, delivery windows, "
        "delivery time window, delivery slot, time slot, timeslot, slot, "
        "delivery time, zeitfenster, lieferzeitfenster, lieferfenster, lieferzeit, "
        "creneau, creneau horaire, creneau de livraison, plage horaire, horaire, "
        "franja horaria, ventana horaria, ventana de entrega, horario de entrega, "
        "horario, janela de entrega, janela horaria, janela, periodo de entrega"
    ),
    "window_start": (
        "time window start, window start, tw start, start of window, window from, "
        "delivery window start, slot start, earliest, earliest time, ready time, "
        "not before, from, time from, start time, opens at, open, von, ab, fruhestens, "
        "zeit von, zeitfenster von, zeitfenster start, zeitfenster beginn, lieferung von, "
        "uhrzeit von, beginn, de, debut, heure debut, debut creneau, heure de debut, "
        "creneau debut, desde, hora desde, inicio, hora inicio, hora de inicio, "
        "inicio ventana, inicio da janela, inicio janela, hora inicial"
    ),
    "window_end": (
        "time window end, window end, tw end, end of window, window to, "
        "delivery window end, slot end, latest, latest time, due time, due, due date "
        "time, not after, deliver by, to, until, time to, end time, closes at, close, "
        "bis, spatestens, zeit bis, zeitfenster bis, zeitfenster ende, lieferung bis, "
        "uhrzeit bis, ende, a, fin, heure fin, fin creneau, heure de fin, creneau fin, "
        "hasta, hora hasta, hora fin, hora de fin, fin ventana, ate, fim, "
        "fim da janela, fim janela, hora final"
    ),
    "preferred_windows": (
        "preferred windows, preferred window, preferred time window, preferred time, "
        "preferred times, preferred delivery time, preferred delivery window, "
        "preferred slot, preferred time slot, desired time, desired delivery time, "
        "desired window, customer preference, delivery preference, wished time, "
        "wunschzeit, wunschzeitfenster, wunschzeiten, wunschlieferzeit, "
        "bevorzugte zeit, bevorzugtes zeitfenster, bevorzugte lieferzeit, "
        "creneau prefere, creneau souhaite, horaire prefere, horaire souhaite, "
        "heure souhaitee, plage preferee, horario preferido, hora preferida, "
        "franja preferida, ventana preferida, horario deseado, janela preferida, "
        "hora desejada, horario desejado"
    ),
    "preferred_start": (
        "preferred from, preferred start, preferred window start, preferred after, "
        "preferred earliest, desired from, wunschzeit von, wunschzeit ab, wunsch von, "
        "bevorzugt von, bevorzugt ab, prefere de, souhaite de, souhaite a partir de, "
        "preferido desde, preferida desde, desde preferido, preferido de, "
        "desejado de"
    ),
    "preferred_end": (
        "preferred to, preferred until, preferred end, preferred window end, "
        "preferred before, preferred latest, desired to, desired until, "
        "wunschzeit bis, wunsch bis, bevorzugt bis, prefere jusqu a, souhaite jusqu a, "
        "preferido hasta, preferida hasta, hasta preferido, preferido ate, "
        "desejado ate"
    ),
    "load_g": (
        "weight, total weight, gross weight, parcel weight, order weight, load, "
        "gewicht, gesamtgewicht, bruttogewicht, poids, poids total, peso, peso total, "
        "peso bruto, grams, lineitem grams, mass, masse"
    ),
    "load_ml": (
        "volume, total volume, parcel volume, volumen, rauminhalt, volume total, "
        "volumen total, cubage, cubagem"
    ),
    "pieces": (
        "pieces, number of pieces, parcels, packages, number of parcels, "
        "number of packages, boxes, cartons, colli, units, quantity, qty, "
        "lineitem quantity, count, size, demand, anzahl, stuck, stuckzahl, pakete, "
        "paketanzahl, packstucke, anzahl pakete, menge, colis, nombre de colis, nb colis, "
        "quantite, bultos, numero de bultos, cantidad, piezas, paquetes, volumes qtd, "
        "quantidade, qtd, qtde, pecas, numero de volumes"
    ),
    "service_s": (
        "service time, service duration, service, handling time, stop duration, "
        "stop time, duration, unloading time, time at stop, servicezeit, standzeit, "
        "haltezeit, entladezeit, aufenthalt, aufenthaltsdauer, dauer, "
        "temps de service, duree, duree de service, temps d arret, tiempo de servicio, "
        "duracion, tiempo en parada, tempo de servico, duracao, tempo de parada"
    ),
    "priority": (
        "priority, prio, urgency, prioritat, prioritaet, dringlichkeit, priorite, "
        "urgence, prioridad, urgencia, prioridade"
    ),
    "requires": (
        "requires, requirements, required skills, skills, capabilities, equipment, "
        "vehicle requirements, anforderungen, anforderung, benotigt, erfordert, "
        "ausstattung, exigences, competences, equipement, requisitos, habilidades, "
        "equipamiento, requer, exigencias, equipamento"
    ),
    "proof": (
        "proof, proof of delivery, pod, proof required, nachweis, zustellnachweis, "
        "liefernachweis, preuve, preuve de livraison, prueba, prueba de entrega, "
        "comprovante, comprovante de entrega"
    ),
    "notes": (
        "notes, note, delivery notes, delivery instructions, instructions, comment, "
        "comments, remark, remarks, customer note, order notes, hinweis, hinweise, "
        "lieferhinweis, bemerkung, bemerkungen, notiz, notizen, kommentar, anmerkung, "
        "remarques, remarque, commentaire, commentaires, consignes, notas, nota, "
        "observaciones, comentario, comentarios, instrucciones, observacoes, obs, "
        "instrucoes"
    ),
}

SYNONYMS: dict[str, tuple[str, ...]] = {
    field: tuple(dict.fromkeys(fold(word) for word in words.split(",")))
    for field, words in _WORDS.items()
}

UNITS: dict[str, dict[str, float]] = {
    "load_g": {
        "mg": 0.001,
        "g": 1,
        "gr": 1,
        "gram": 1,
        "grams": 1,
        "gramm": 1,
        "grammes": 1,
        "gramos": 1,
        "gramas": 1,
        "kg": 1000,
        "kgs": 1000,
        "kilo": 1000,
        "kilos": 1000,
        "t": 1_000_000,
        "to": 1_000_000,
        "lb": 453.59237,
        "lbs": 453.59237,
        "oz": 28.349523125,
    },
    "load_ml": {
        "ml": 1,
        "cm3": 1,
        "ccm": 1,
        "cc": 1,
        "cl": 10,
        "dl": 100,
        "l": 1000,
        "lt": 1000,
        "ltr": 1000,
        "liter": 1000,
        "litre": 1000,
        "litres": 1000,
        "litros": 1000,
        "dm3": 1000,
        "hl": 100_000,
        "m3": 1_000_000,
        "cbm": 1_000_000,
        "ft3": 28_316.846592,
        "cuft": 28_316.846592,
    },
    "service_s": {
        "s": 1,
        "sec": 1,
        "secs": 1,
        "second": 1,
        "seconds": 1,
        "sek": 1,
        "sekunden": 1,
        "secondes": 1,
        "segundos": 1,
        "m": 60,
        "min": 60,
        "mins": 60,
        "mn": 60,
        "minute": 60,
        "minutes": 60,
        "minuten": 60,
        "minutos": 60,
        "h": 3600,
        "hr": 3600,
        "hrs": 3600,
        "hour": 3600,
        "hours": 3600,
        "std": 3600,
        "stunden": 3600,
        "heures": 3600,
        "horas": 3600,
    },
}
"""Factors to the field's own unit: grams, millilitres, seconds (pound and ounce as
defined in 1959, the cubic foot from 0.3048 m)."""

ASSUMED_UNIT = {"load_g": "kg", "load_ml": "l", "service_s": "min"}
"""What a number is taken for when neither header nor cell names a unit."""
