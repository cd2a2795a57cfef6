"""Whether copies that may differ for a while are the same in the end."""
