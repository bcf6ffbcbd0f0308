"""What the flow needs of the outside, as protocols."""
