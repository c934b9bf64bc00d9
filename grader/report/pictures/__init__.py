"""Pictures drawn by hand as SVG: one module per picture, pure functions from values to a `Picture`."""
