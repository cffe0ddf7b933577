"""The intermediate representation: interned nodes, terms of the index notation, programs."""
