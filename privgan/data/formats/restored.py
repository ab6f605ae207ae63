"""How a file says that a network restored it: a patient's image, of which nobody ever measured a part.

A folder of restored images is refused as a whole, but a file is easily copied out of it. So each bears a mark of its
own, and no reader takes it for an image as it was taken. What writes the pixels anew, as another program or a change
of format, loses the mark.
"""

CODE = "restored"
MARK = "privgan-restored"  # keyword of a PNG's text, and name of an array of an .npz
