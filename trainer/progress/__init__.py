"""Progress of a training: records, and the curves made from them."""
