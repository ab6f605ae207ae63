"""Better images from what was released: noise, small images and artefacts, restored without a look at patients."""
