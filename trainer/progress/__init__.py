"""How far a training is: records, and the curves gathered from them."""
