"""What all pages of the window are made of: colours, icons, keys, the frame of a page."""
