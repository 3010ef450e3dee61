"""The first texts of every kind, in four languages; a depot may write its own.

With a link of 60 characters and a sender of 20 each fits one SMS of 160 septets; the
words therefore do without signs that GSM-7 lacks (ç, ê, í, ó, ú, á and long dashes).
"""

from collections.abc import Mapping
from typing import Final

TITLES: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "planned": "Your delivery is planned",
        "on_the_way": "Your delivery is on the way",
        "next_stop": "You are next",
        "late": "Your delivery is late",
        "missed": "We could not deliver",
        "delivered": "Delivered: how was it?",
        "where": "Where your order is",
        "where_none": "Where your order is",
        "where_done": "Where your order is",
        "stopped": "No more messages",
        "started": "Messages are on again",
        "help": "Help",
        "note": "About your delivery",
        "offer": "An offer for you",
    },
    "de": {
        "planned": "Ihre Lieferung ist geplant",
        "on_the_way": "Ihre Lieferung ist unterwegs",
        "next_stop": "Sie sind als Nächstes dran",
        "late": "Ihre Lieferung verspätet sich",
        "missed": "Wir konnten nicht zustellen",
        "delivered": "Zugestellt: Wie war es?",
        "where": "Wo Ihre Bestellung ist",
        "where_none": "Wo Ihre Bestellung ist",
        "where_done": "Wo Ihre Bestellung ist",
        "stopped": "Keine Nachrichten mehr",
        "started": "Nachrichten kommen wieder",
        "help": "Hilfe",
        "note": "Zu Ihrer Lieferung",
        "offer": "Ein Angebot für Sie",
    },
    "fr": {
        "planned": "Votre livraison est prévue",
        "on_the_way": "Votre livraison est en route",
        "next_stop": "Vous êtes le prochain arrêt",
        "late": "Votre livraison a du retard",
        "missed": "Livraison impossible",
        "delivered": "Livré : votre avis ?",
        "where": "Où est votre commande",
        "where_none": "Où est votre commande",
        "where_done": "Où est votre commande",
        "stopped": "Plus de messages",
        "started": "Messages à nouveau actifs",
        "help": "Aide",
        "note": "À propos de votre livraison",
        "offer": "Une offre pour vous",
    },
    "es": {
        "planned": "Su entrega está prevista",
        "on_the_way": "Su entrega está en camino",
        "next_stop": "Usted es la próxima parada",
        "late": "Su entrega se retrasa",
        "missed": "No pudimos entregar",
        "delivered": "Entregado: ¿qué tal?",
        "where": "Dónde está su pedido",
        "where_none": "Dónde está su pedido",
        "where_done": "Dónde está su pedido",
        "stopped": "Sin más mensajes",
        "started": "Mensajes activos de nuevo",
        "help": "Ayuda",
        "note": "Sobre su entrega",
        "offer": "Una oferta para usted",
    },
}

TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "planned": "{sender}: delivery {window}. Follow it or pick another time: {link}",
        "on_the_way": "{sender}: on the way to you, arriving {eta}. Follow it: {link}",
        "next_stop": "{sender}: you are next, arriving {eta}. {link}",
        "late": "{sender}: sorry, we are late. New time: {eta}. {link}",
        "missed": "{sender}: sorry, we could not deliver. Pick a new time: {link}",
        "delivered": "{sender}: delivered, thank you. How was it? {link}",
        "where": "{sender}: your order is expected {eta}. {link}",
        "where_none": "{sender}: no delivery to you is planned today. We will write"
        " as soon as there is one.",
        "where_done": "{sender}: your order was delivered {window}.",
        "stopped": "{sender}: you get no more messages from us. Send START to undo.",
        "started": "{sender}: you get messages about your deliveries again."
        " Send STOP to end them.",
        "help": "{sender}: messages about your deliveries. Send WHERE for the state"
        " of your order, STOP to end them.",
        "note": "{sender}: {text}",
        "offer": "{sender}: {text} {link} STOP ends these.",
    },
    "de": {
        "planned": "{sender}: Lieferung {window}. Verfolgen oder andere Zeit: {link}",
        "on_the_way": "{sender}: unterwegs zu Ihnen, Ankunft {eta}. Verfolgen: {link}",
        "next_stop": "{sender}: Sie sind als Nächstes dran, Ankunft {eta}. {link}",
        "late": "{sender}: wir verspäten uns leider. Neue Zeit: {eta}. {link}",
        "missed": "{sender}: leider nicht zugestellt. Bitte neue Zeit wählen: {link}",
        "delivered": "{sender}: zugestellt, danke. Wie war es? {link}",
        "where": "{sender}: Ihre Bestellung kommt voraussichtlich {eta}. {link}",
        "where_none": "{sender}: heute ist keine Lieferung zu Ihnen geplant. Wir"
        " melden uns, sobald es eine gibt.",
        "where_done": "{sender}: Ihre Bestellung wurde zugestellt {window}.",
        "stopped": "{sender}: Sie erhalten keine Nachrichten mehr. Mit START wieder.",
        "started": "{sender}: Sie erhalten wieder Nachrichten zu Ihren Lieferungen."
        " Ende mit STOPP.",
        "help": "{sender}: Nachrichten zu Ihren Lieferungen. WO zeigt den Stand,"
        " STOPP beendet sie.",
        "note": "{sender}: {text}",
        "offer": "{sender}: {text} {link} Ende mit STOPP.",
    },
    "fr": {
        "planned": "{sender}: livraison {window}. Suivre ou changer: {link}",
        "on_the_way": "{sender}: en route vers vous, passage {eta}. Suivre: {link}",
        "next_stop": "{sender}: prochain passage chez vous, {eta}. {link}",
        "late": "{sender}: pardon, nous avons du retard. Passage {eta}. {link}",
        "missed": "{sender}: pardon, livraison impossible. Autre date: {link}",
        "delivered": "{sender}: livré, merci. Votre avis? {link}",
        "where": "{sender}: votre commande est attendue {eta}. {link}",
        "where_none": "{sender}: pas de livraison chez vous aujourd'hui. Nous vous"
        " écrirons dès qu'il y en a une.",
        "where_done": "{sender}: votre commande a été livrée {window}.",
        "stopped": "{sender}: vous ne recevrez plus de messages. START pour reprendre.",
        "started": "{sender}: vous recevez à nouveau nos messages de livraison."
        " STOP pour finir.",
        "help": "{sender}: messages sur vos livraisons. OU pour savoir où en est la"
        " commande, STOP pour finir.",
        "note": "{sender}: {text}",
        "offer": "{sender}: {text} {link} STOP pour finir.",
    },
    "es": {
        "planned": "{sender}: entrega {window}. Seguir o cambiar hora: {link}",
        "on_the_way": "{sender}: en camino, llegada {eta}. Seguir: {link}",
        "next_stop": "{sender}: la siguiente entrega es la suya, {eta}. {link}",
        "late": "{sender}: lo sentimos, llegamos tarde. Nueva hora: {eta}. {link}",
        "missed": "{sender}: lo sentimos, no pudimos entregar. Elija otra hora: {link}",
        "delivered": "{sender}: entregado, gracias. ¿Qué tal fue? {link}",
        "where": "{sender}: su pedido se espera {eta}. {link}",
        "where_none": "{sender}: hoy no hay entrega para usted. Le escribiremos en"
        " cuanto la haya.",
        "where_done": "{sender}: su pedido fue entregado {window}.",
        "stopped": "{sender}: ya no recibe mensajes. START para volver a recibirlos.",
        "started": "{sender}: recibe de nuevo mensajes de sus entregas. STOP para"
        " terminar.",
        "help": "{sender}: mensajes de sus entregas. DONDE para saber de su pedido,"
        " STOP para terminar.",
        "note": "{sender}: {text}",
        "offer": "{sender}: {text} {link} STOP para terminar.",
    },
}
