"""The words of the demo's captions, and what they look like: colours in RGB, sizes and places in fractions."""

COLOURS = {
    "red": (214, 34, 38), "blue": (38, 84, 214), "green": (34, 150, 62), "yellow": (246, 214, 36),
    "black": (24, 24, 26), "orange": (244, 128, 22), "purple": (128, 44, 168), "brown": (122, 74, 38),
    "pink": (250, 142, 190), "gray": (128, 128, 130),
}  # fmt: skip
SHAPES = ("circle", "square", "star", "triangle", "heart", "cross", "ring", "diamond", "arrow", "crescent")
SIZES = {"small": (0.13, 0.18), "": (0.2, 0.28), "large": (0.32, 0.4)}
TEXTURES = ("", "striped", "dotted")
NUMBERS = ("two", "three", "four", "five")
RELATIONS = {"above": (0, -1), "below": (0, 1), "left of": (-1, 0), "right of": (1, 0)}
PLACES = {
    "": (0.5, 0.5), "near the top": (0.5, 0.25), "near the bottom": (0.5, 0.75),
    "in the upper left corner": (0.25, 0.25), "in the lower right corner": (0.75, 0.75),
}  # fmt: skip
OPENINGS = ("", "a picture of ", "a drawing of ", "a painting of ")
HEAD_BACKGROUNDS = {"white": (252, 252, 252), "silver": (196, 200, 206), "cream": (254, 244, 208)}
TAIL_BACKGROUNDS = {
    "ivory": (246, 240, 226), "salmon": (244, 160, 140), "olive": (136, 134, 44), "navy": (20, 26, 92),
    "maroon": (96, 14, 36), "coral": (252, 130, 104), "indigo": (70, 20, 134), "lime": (186, 238, 60),
    "amber": (252, 194, 50), "violet": (196, 140, 232), "turquoise": (70, 216, 204), "golden": (214, 172, 62),
    "teal": (0, 128, 128), "lavender": (206, 196, 246), "khaki": (196, 178, 130), "magenta": (220, 30, 180),
    "mustard": (224, 184, 60), "peach": (254, 206, 170), "plum": (120, 40, 100), "emerald": (60, 204, 120),
    "lilac": (210, 166, 210), "azure": (60, 140, 252), "apricot": (252, 190, 140), "mauve": (180, 130, 170),
}  # fmt: skip
BACKGROUNDS = HEAD_BACKGROUNDS | TAIL_BACKGROUNDS
