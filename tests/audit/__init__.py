"""What the product is made of besides its own code, and what a running one touches (``make audit``)."""
