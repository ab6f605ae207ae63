"""Better images from what was released: noise, small images and artefacts, restored without another look at patients."""
