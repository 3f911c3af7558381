"""How each system fills a tensor: one module a kind of method. Importing the package imports none of them."""
