"""Invented names: rivers, streets, people. None is taken from a register."""

RIVERS = ("Marl", "Wenna", "Asher", "Torrin", "Hollin", "Calder", "Lorne", "Ember")
"""The town is named after its river and its first bridge."""

TOWN_ENDINGS = ("bridge", "haven", "ford", "wick")

RADIALS = (
    "Harvest Turnpike", "Mill Road", "Quarry Road", "Abbey Road", "Ferry Road",
    "Orchard Turnpike", "Tannery Road", "Beacon Road",
)  # fmt: skip

INNER_RING, OUTER_RING = "Old Wall Street", "Beltline Drive"

STREET_STEMS = (
    "Alder", "Amber", "Anvil", "Apple", "Ash", "Aspen", "Barley", "Basin", "Beech",
    "Bell", "Birch", "Bramble", "Brook", "Buttercup", "Candle", "Canal", "Cedar",
    "Chapel", "Cherry", "Clover", "Cooper", "Copper", "Crane", "Dairy", "Dove",
    "Elder", "Elm", "Falcon", "Fern", "Fiddler", "Finch", "Foundry", "Fountain",
    "Fox", "Garden", "Glass", "Glover", "Granary", "Hawthorn", "Hazel", "Heron",
    "Hickory", "Hill", "Holly", "Hop", "Iris", "Ivy", "Juniper", "Kestrel", "Kiln",
    "Lantern", "Larch", "Lark", "Laurel", "Library", "Linden", "Linen", "Maple",
    "Market", "Mason", "Meadow", "Merchant", "Millrace", "Nettle", "Oak", "Olive",
    "Otter", "Paper", "Pear", "Pine", "Plum", "Potter", "Quince", "Raven", "Reed",
    "Robin", "Rope", "Rose", "Rowan", "Saddler", "Sage", "School", "Silver",
    "Sparrow", "Spring", "Station", "Sumac", "Swan", "Thatcher", "Thistle", "Tinker",
    "Tower", "Union", "Vine", "Walnut", "Weaver", "Wheat", "Willow", "Wren", "Yew",
)  # fmt: skip

STREET_TYPES = ("Street", "Lane", "Avenue", "Court", "Way", "Place", "Terrace")

ZONE_NAMES = {
    "C": "Old Town", "I1": "Orchard Hill", "I2": "Abbey Fields",
    "I3": "Tanners' Quarter", "I4": "Ferry Bank", "O1": "North Meadows",
    "O2": "Westhill", "O3": "South Acres", "O4": "Eastreach",
}  # fmt: skip

FIRST_NAMES = (
    "Ada", "Alma", "Amir", "Anya", "Basil", "Bea", "Carlos", "Cleo", "Dara", "Dmitri",
    "Edith", "Elif", "Emeka", "Fay", "Felix", "Gita", "Hana", "Hugo", "Ida", "Imran",
    "Ines", "Ivo", "Jonah", "Joy", "Kaito", "Kira", "Lars", "Leila", "Lin", "Lola",
    "Mara", "Mateo", "Mina", "Nadia", "Nils", "Noor", "Olga", "Omar", "Otis", "Paz",
    "Petra", "Quinn", "Rafael", "Ravi", "Rosa", "Ruth", "Sana", "Silas", "Sofia",
    "Tariq", "Thea", "Tomas", "Uma", "Vera", "Viktor", "Wanda", "Wei", "Yara",
    "Yusuf", "Zoe",
)  # fmt: skip

LAST_NAMES = (
    "Abara", "Alder", "Ashdown", "Barros", "Bexley", "Brandt", "Castellan", "Chaudry",
    "Corliss", "Dahl", "Delacroix", "Draper", "Eklund", "Esposito", "Fairlie",
    "Farouk", "Fenwick", "Galloway", "Gruber", "Hadley", "Hartog", "Hollins",
    "Ibarra", "Iversen", "Jansky", "Jessop", "Kimura", "Kowal", "Lindqvist", "Lomax",
    "Marchetti", "Mbeki", "Mercer", "Nakano", "Norling", "Okafor", "Oakley", "Petrov",
    "Pinto", "Quill", "Radley", "Rao", "Romero", "Sandoval", "Selwyn", "Sorensen",
    "Tamm", "Thackeray", "Ueda", "Vance", "Varga", "Wainwright", "Wexler", "Yilmaz",
    "Zeller",
)  # fmt: skip

DELIVERY_NOTES = (
    "Ring twice, the bell is quiet", "Leave with the porter if nobody answers",
    "Side gate is open", "Dog in the garden", "Call on arrival",
    "Second door on the left", "Loading bay behind the building",
)  # fmt: skip
