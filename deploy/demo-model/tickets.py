#!/usr/bin/env python3
"""Synthetic customer-support tickets with a category and a one-sentence reply.

    python3 tickets.py [DIRECTORY]

writes DIRECTORY/train.txt (records end with <|endoftext|>) and held-out.jsonl beside this script.
The same seeds always give the same files.

Template language: [a|b|c] picks one alternative (no nesting), {slot} takes a value.
A phrasing that starts with "!" is never used in training: only held-out tickets have it.
"""

import json
import os
import random
import re
import sys
import zlib

END = "<|endoftext|>"
TRAIN_SIZE = 48_000
HELD_OUT_SIZE = 1_000
LABELS = ["billing", "shipping", "returns", "account", "technical", "order", "product", "complaint"]

# ---------------------------------------------------------------- intents
# (label, phrasings of the customer's problem, replies). A reply may use only slots that the ticket
# has; replies with more slots are preferred, and the last reply of each intent needs none.

INTENTS = [
    # billing
    ("billing", [
        "I was charged twice for order {order}[| on my card| last week].",
        "My [card|bank] statement shows two payments of {amount}[| for the same purchase].",
        "You [took|debited] {amount} two times [for one order|for the {product}].",
        "There is a duplicate charge of {amount} on my [credit card|account statement|PayPal].",
        "The money for order {order} was [taken|booked] twice[| from my bank account].",
        "I see the same [payment|charge] twice, {amount} each time.",
        "!Why do I see the same payment of {amount} booked twice?",
    ], [
        "We found the duplicate charge of {amount} and will refund it within five days.",
        "We will refund the second charge for order {order} within five days.",
        "We will check the payment and refund the duplicate charge within five days.",
    ]),
    ("billing", [
        "[Can|Could] you send me [an invoice|a VAT invoice|a receipt] for order {order}?",
        "I need [an invoice|a proper receipt] for my {product} for my tax records.",
        "The invoice for order {order} [is missing|never came|has no VAT number on it].",
        "Please [issue|e-mail me] the invoice with our company name and VAT number.",
        "[My accountant|My company|The tax office] needs an invoice that [shows|has] the VAT for order {order}.",
        "!Our accountant asks for the invoice that belongs to order {order}.",
    ], [
        "We have sent the invoice for order {order} to your e-mail address.",
        "We will send the invoice to your e-mail address today.",
    ]),
    ("billing", [
        "The [discount|voucher|promo] code {code} was not [applied|deducted] [at checkout|on my bill].",
        "I used the code {code} but still had to pay the full price[| of {amount}].",
        "Your newsletter promised [10%|15%|20%] off, yet the bill says {amount}.",
        "My gift card was not [accepted|counted] when I paid for the {product}.",
        "It should have been [cheaper|10% less] with the code {code}.",
        "I paid {amount}, but with my voucher it should have been [less|cheaper].",
        "!Code {code} should have made it cheaper, but I paid {amount}.",
    ], [
        "We have applied the code {code} and will refund the difference to your card.",
        "We will correct the bill and refund the difference to your card.",
    ]),
    ("billing", [
        "My [card|payment|credit card] was declined [although there is enough money on it|three times].",
        "The payment of {amount} [does not go through|keeps failing] with my [Visa|Mastercard|debit card].",
        "I cannot pay: [the bank refuses the payment|the payment is always rejected].",
        "[Which payment methods do you accept|Can I pay by bank transfer|Do you take PayPal]?",
        "My bank [rejected|refused|blocked] the payment[| of {amount}], what can I do?",
        "!The bank rejected the {amount} payment and I do not know why.",
    ], [
        "Please try another card or pay the {amount} by bank transfer.",
        "Please try another card or choose bank transfer as the payment method.",
    ]),
    ("billing", [
        "The bill for order {order} is [too high|wrong]: I was charged {amount}[| instead of the listed price].",
        "I do not [recognise|understand] a charge of {amount} [from your shop|on my statement].",
        "Why [is there|do I see] an extra fee of {amount} on my [bill|invoice]?",
        "[My subscription|The monthly plan] was [renewed|billed] for {amount} without my consent.",
        "What [is|are] the {amount} on my [invoice|bill|statement] for?",
        "!What is this fee of {amount} on the invoice for?",
    ], [
        "We will review the charge of {amount} and write to you within two days.",
        "We will review the charge and write to you within two days.",
    ]),
    # shipping
    ("shipping", [
        "Where is my [parcel|package|delivery]? [It was due|It should have come] {when}.",
        "My [parcel|package] with the {product} [has not arrived|still is not here].",
        "The delivery of order {order} is [late|delayed|overdue][| by a week].",
        "I am still waiting for [the courier|the delivery] of my {product}.",
        "My order {order} should have been [here|delivered] {when}[, where is it|].",
        "[Nothing came|Nothing has come] yet, although the {product} was [sent|shipped] {when}.",
        "!Order {order} should have been delivered {when}, but nothing came.",
    ], [
        "Your parcel {order} is on its way and should arrive within two days.",
        "Your {product} is on its way and should arrive within two days.",
        "Your parcel is on its way and should arrive within two days.",
    ]),
    ("shipping", [
        "The tracking [number|link|page] for order {order} [does not work|shows nothing|has not changed since {since}].",
        "Tracking says my parcel [is stuck|has been sitting] in {city}[| since {since}].",
        "Could you send me the tracking number [for order {order}|of the parcel with the {product}]?",
        "{courier} tracking [has not been updated|shows no movement] since {since}.",
        "According to {courier}, my package [is still|has been] in {city} [for days|since {since}].",
        "!According to the tracking my package has been in {city} for days.",
    ], [
        "We asked the carrier about the parcel in {city} and will send you an update today.",
        "We have sent you a new tracking link for order {order}.",
        "We asked the carrier about your parcel and will send you an update today.",
    ]),
    ("shipping", [
        "{courier} says the parcel was delivered {when}, but I [never got it|found nothing].",
        "The [courier|driver] left my package [with a neighbour|outside in the rain|at the wrong house].",
        "Order {order} is marked as delivered, but [there is no parcel|I have not received it].",
        "My parcel seems to be lost [in the post|somewhere near {city}].",
        "The [driver|courier] says he [delivered|left] my parcel at the [door|doorstep], but [nothing is there|it is not there].",
        "{courier} claims to have delivered the {product}, but I [never saw it|was at home and nobody came].",
        "!The driver claims to have delivered order {order}, yet my doorstep is empty.",
    ], [
        "We have opened a search with the carrier for order {order}.",
        "We have opened a search with {courier} for your parcel.",
        "We have opened a search with the carrier for your lost parcel.",
    ]),
    ("shipping", [
        "Do you [ship|deliver|send parcels] to {city}[|, and how long does it take]?",
        "How [much|expensive] is [shipping|delivery] to {city}?",
        "How long does [express|standard] [shipping|delivery] to {city} take?",
        "Is [express|overnight|Saturday] delivery [possible|available] [to {city}|for the {product}]?",
        "Would you [ship|deliver|send] to {city} as well?",
        "!Would you deliver the {product} to {city}?",
    ], [
        "Yes, we deliver to {city} and it takes three to five working days.",
        "Yes, we offer express delivery and it takes one working day.",
    ]),
    ("shipping", [
        "The parcel is held at customs in {city}[| since {since}].",
        "{courier} wants me to pay [customs duty|import fees] before [delivery|they deliver the parcel].",
        "Can the courier [come|deliver] {future} [instead|after 6 pm]? I am not at home before.",
        "I was [out|at work] when {courier} rang; how do I get a [second|new] delivery attempt?",
        "[Nobody is|I am not] at home {future}, can {courier} bring the parcel [earlier|later|another day]?",
        "!Please tell {courier} to bring the parcel {future}, nobody is home earlier.",
    ], [
        "We will ask {courier} to contact you about the delivery.",
        "We will help with the customs papers for your parcel in {city}.",
        "We will ask the carrier to arrange a new delivery time with you.",
    ]),
    # returns
    ("returns", [
        "I [want|would like] to [return|send back] the {product}[|, it is too {flaw}| because it does not fit].",
        "How do I [return|send back] [an item|my {product}]?",
        "The {product} is not for me, [can I send it back|how can I return it]?",
        "I changed my mind and want to return [everything|the {product}] from order {order}.",
        "I no longer [need|want] the {product}, [do you take it back|can it go back to you]?",
        "!Please take back the {product}, I no longer need it.",
    ], [
        "You can return the {product} within 30 days with the label that we e-mailed to you.",
        "You can return the items from order {order} within 30 days.",
        "You can return any item within 30 days with the label from your customer page.",
    ]),
    ("returns", [
        "I sent the {product} back {when} but have not got my [money|refund] yet.",
        "When will I get the refund for my [return|returned {product}]?",
        "You received my return of order {order} {when}, where is the refund?",
        "The return arrived at your warehouse {when}, yet [no refund|nothing] has been paid.",
        "The {product} went back to you, but the refund [is still open|has not come].",
        "!My {product} went back to you {when} and the refund is still open.",
    ], [
        "We have received your {product} and will send the refund within three days.",
        "We have received the return of order {order} and will send the refund within three days.",
        "We have received your return and will send the refund within three days.",
    ]),
    ("returns", [
        "I need a return label for [order {order}|the {product}].",
        "The return label [was not in the box|cannot be printed|has expired].",
        "[Please send me|Where can I find|May I have] a [prepaid |]return label[| for order {order}]?",
        "My return form for the {product} is [missing|lost].",
        "There was no [return label|return form] [in the parcel|with the {product}].",
        "!There was no return slip in the box of order {order}.",
    ], [
        "We have e-mailed you a new return label for order {order}.",
        "We have e-mailed you a new return label for the {product}.",
        "We have e-mailed you a new return label.",
    ]),
    ("returns", [
        "Can I exchange the {product} for [a size {size}|another colour|a {colour} one]?",
        "The {product} is too [small|big|tight], please swap it for size {size}.",
        "I would like to exchange my {product} for a {colour} one.",
        "I got size {size} as a present and need [a bigger|a smaller|another] one in exchange.",
        "Is it possible to exchange the {product}[| for size {size}]?",
        "Could you swap the {product} for [the {colour} one|a bigger one]?",
        "!Is it possible to swap my {product} for one in {colour}?",
    ], [
        "We will exchange it for a {colour} {product} as soon as yours is back.",
        "We will exchange your {product} as soon as it is back.",
        "We will exchange it as soon as the item is back.",
    ]),
    ("returns", [
        "The {product} arrived [broken|damaged|cracked|scratched], I want my money back.",
        "My {product} came with a [crack|dent|broken part] and I want to send it back.",
        "Am I still allowed to return something [after 30 days|that I bought {when}|that has been opened]?",
        "How long is your return period[| for sale items| for the {product}]?",
        "I unpacked the {product} {when} and it [is broken|is scratched|has a crack], it has to go back.",
        "!I unpacked the {product} and it is damaged, so it has to go back.",
    ], [
        "Please send the damaged {product} back for a full refund.",
        "You can return items within 30 days if they are complete.",
    ]),
    # account
    ("account", [
        "I [forgot|lost] my password and [the reset e-mail never arrives|cannot get in].",
        "How do I [reset|change] my password?",
        "The password reset link [has expired|does not come|goes to my old e-mail address].",
        "My [new |]password is not [accepted|recognised] when I [log in|sign in].",
        "I do not get the e-mail [for my new password|to set a new password].",
        "!The mail for setting a new password does not reach me.",
    ], [
        "We have sent a new password link to your e-mail address.",
    ]),
    ("account", [
        "My account [is|has been] [locked|blocked|suspended][| since {since}].",
        "I cannot log in [to my account|any more][|, it says too many attempts].",
        "I am locked out [of my account|after three wrong attempts].",
        "Why was my [customer account|profile|login] [blocked|disabled] {when}?",
        "I have [no|lost] access to my [customer |]account[| since {since}].",
        "!Since {since} I have no access to my customer profile.",
    ], [
        "We have unlocked your account and you can log in again.",
    ]),
    ("account", [
        "Please change the e-mail address of my account to {email}.",
        "I have a new e-mail address, {email}, [how do I change it in my profile|please update my account].",
        "My [phone number|last name|surname] has changed, [please update my profile|where do I edit it in my account]?",
        "I want to [use|log in with] {email} [from now on|instead of my old address].",
        "My [e-mail|login] should be {email} [now|in future], not the old one.",
        "!From now on my login should be {email}.",
    ], [
        "We have changed the address of your account to {email}.",
        "You can change your personal details in your account settings.",
    ]),
    ("account", [
        "Please [delete|close|remove] my [account|customer account|profile][| and all my data].",
        "How [can|do] I [delete|close] my account[| for good]?",
        "I [no longer want|do not need] an account with you, please erase my data.",
        "Under the GDPR I ask you to [delete|erase] all personal data [you hold|of mine].",
        "Please erase [my profile|my customer data|everything you store about me].",
        "!Kindly erase my profile and everything you store about me.",
    ], [
        "We will delete your account and all personal data within 30 days.",
    ]),
    ("account", [
        "I do not get the [verification|security|two-factor] code [on my phone|by text message].",
        "[Someone else|A stranger] [has logged in to|is using] my account[| from {city}].",
        "I got a login alert from {city} but it was not me, was my account hacked?",
        "Please [unsubscribe me from|stop sending me] the newsletter to {email}.",
        "There was a strange [login|sign-in] [to|in] my account[ from {city}|], it was not me.",
        "I did not make the login from {city}[|, please secure my account].",
        "!There was a sign-in from {city} that I did not make.",
    ], [
        "We have secured your account after the login from {city}.",
        "We have removed {email} from the newsletter.",
        "We have secured your account and sent you a new security code.",
    ]),
    # technical
    ("technical", [
        "The app [crashes|freezes|closes] [every time I open it|on start|when I open the cart].",
        "Since the [last |]update the app [keeps crashing|does not start] on my [phone|iPhone|Android tablet].",
        "Your app [shows a white screen|hangs] on [iOS|Android] [16|14|12|17].",
        "The [mobile |]app is [very slow|unusable] [since the update|since {since}].",
        "The app [quits|stops] right [away|after the login] on my [phone|iPad|tablet].",
        "!On my phone the app quits right after the start screen.",
    ], [
        "Please install the latest version of the app and restart your phone.",
    ]),
    ("technical", [
        "Your website shows error {error} [when I click on pay|at checkout|on every page].",
        "I get error {error} when I [open the cart|upload a photo|try to search].",
        "The [website|checkout page|search] [does not load|is down|is broken] in [Firefox|Chrome|Safari].",
        "The button [\"Continue\"|\"Pay now\"|\"Add to cart\"] does nothing [in Firefox|in Chrome|on my laptop].",
        "In my browser [every page|the checkout|the shop] [ends|stops] with error {error}.",
        "!All pages end in error {error} in my browser.",
    ], [
        "Our engineers are working on error {error}, please try again in an hour.",
        "Please clear the cache of your browser and try again.",
    ]),
    ("technical", [
        "My {device} does not [turn on|charge|start] [any more|since {since}].",
        "The {device} [switches itself off|stops] after [a few minutes|ten minutes].",
        "The battery of my {device} [is empty after an hour|does not charge].",
        "The [screen|display] of the {device} [stays black|flickers|is frozen].",
        "When I press the [button|power button], the {device} does nothing.",
        "The {device} is [dead|broken], nothing happens [when I switch it on|any more].",
        "!Nothing happens when I press the power button of the {device}.",
    ], [
        "Please hold the power button of the {device} for ten seconds to reset it.",
    ]),
    ("technical", [
        "I cannot [pair|connect] the {device} with my [phone|laptop] [over Bluetooth|via Bluetooth].",
        "The {device} [loses|drops] the [Wi-Fi|Bluetooth] connection [all the time|every few minutes].",
        "How do I connect the {device} to [Wi-Fi|my computer|my new router]?",
        "The {device} is not found [by my phone|by the app|on my network].",
        "My [phone|laptop] [does not see|no longer finds] the {device}[| over Bluetooth].",
        "!My phone no longer sees the {device} over Bluetooth.",
    ], [
        "Please reset the {device} and connect it again in the app.",
    ]),
    ("technical", [
        "The firmware update of my {device} [failed|stops at 40%|ended with error {error}].",
        "How do I install the [new |latest ]firmware on the {device}?",
        "After the firmware update the {device} [makes a strange noise|no longer reacts|blinks red].",
        "The {device} shows error {error} [on the display|and blinks red].",
        "Installing the firmware [fails|does not work] on my {device}.",
        "!Installing the new firmware on the {device} ends with error {error}.",
    ], [
        "Please restart the {device} and install the latest firmware to clear error {error}.",
        "Please restart the {device} and install the latest firmware again.",
    ]),
    # order
    ("order", [
        "Please cancel [my order|order] {order}[|, I ordered by mistake| before it leaves the warehouse].",
        "Can I still cancel order {order}[| that I placed {when}]?",
        "I want to cancel the {product} that I ordered {when}.",
        "I ordered [by mistake|the wrong thing], please [cancel|stop] order {order}.",
        "Please do not [process|send] order {order}, it was a mistake.",
        "I [do not need|no longer want] the {product} from order {order}, please cancel it.",
        "!Order {order} was a mistake, do not process it.",
    ], [
        "We have cancelled order {order} as you asked.",
        "We have cancelled the order of the {product} as you asked.",
        "We have cancelled your order as you asked.",
    ]),
    ("order", [
        "Please change the quantity in order {order} to {count}.",
        "I would like to add {article} to [my order|order {order}].",
        "Can you add {count} more {product} to order {order} [before it ships|before you pack it]?",
        "I ordered {count} pieces of the {product} but need [only one|only two|one more].",
        "Please make it {count} pieces [in|for] order {order}.",
        "Instead of one {product} I need {count} in my order.",
        "!Make it {count} instead of one in order {order}, please.",
    ], [
        "We have changed order {order} and sent you a new confirmation.",
        "We have changed your order and sent you a new confirmation.",
    ]),
    ("order", [
        "I have not received an order confirmation for the {product}.",
        "Did my order [go through|work]? I got no confirmation.",
        "Is order {order} confirmed? [The status still says pending|I got no e-mail].",
        "The status of order {order} [is still|has been] \"pending\" [since {since}|for days].",
        "I placed an order[| {when}] but [have not got a|there is no] confirmation.",
        "!I placed an order {when} and no confirmation came.",
    ], [
        "Order {order} is confirmed and we have sent the confirmation again.",
        "Your order is confirmed and we have sent the confirmation again.",
    ]),
    ("order", [
        "I ordered the {product} but got the {other} instead[|, order {order}].",
        "There was a wrong [item|article] in order {order}[|: the {other}].",
        "One [item|article] of order {order} is missing from the box[|, the {product}].",
        "Order {order} is incomplete, the {product} [is missing|was not in the box].",
        "In the box there was the {other} [and not|instead of] the {product}[| that I ordered].",
        "The box of order {order} [had|contained] the wrong [article|item].",
        "!In the box of order {order} was the {other} and no {product}.",
    ], [
        "Sorry for the mix-up, we will send the {product} from order {order} today.",
        "Sorry for the mix-up, we will send the {product} today.",
        "Sorry for the mix-up, we will complete order {order} today.",
    ]),
    ("order", [
        "I gave the wrong address in order {order}, please change it to {city}.",
        "Please change the colour in order {order} to {colour}[| before you pack it].",
        "Could you [wrap order {order} as a gift|put a gift card into order {order}]?",
        "I just ordered the {product} in the wrong [size|colour], please change it to [size {size}|{colour}].",
        "Is it still possible to change [the colour|the size|the address] of order {order}?",
        "!For order {order} I would rather have {colour}, is that still possible?",
    ], [
        "We have updated order {order} to {city}.",
        "We have updated order {order} to {colour}.",
        "We have updated order {order} as you asked.",
        "We have updated your order as you asked.",
    ]),
    # product
    ("product", [
        "Is the {product} [in stock|available|back in stock][| in {colour}| in size {size}]?",
        "When will the {product} be available [again|in {colour}|in size {size}]?",
        "Do you [have|sell] the {product} in {colour}?",
        "[Will there be|Are you going to get] more of the {colour} {product}?",
        "The {product} is [sold out|out of stock], when will you have [it again|new stock]?",
        "Do you expect [more|new stock] of the {product} in {colour}?",
        "!The {product} is sold out, do you expect new stock?",
    ], [
        "The {product} in {colour} will be in stock again next week.",
        "The {product} in size {size} will be in stock again next week.",
        "The {product} will be in stock again next week.",
    ]),
    ("product", [
        "What is the {product} made of?",
        "Is the {product} made of [leather|cotton|wool|steel|plastic]?",
        "Does the {product} contain [nickel|latex|wool|animal products]?",
        "Can I [wash|put] the {product} [at 40 degrees|in the washing machine|in the dishwasher]?",
        "Which [material|fabric|wood|metal] is the {product} made of?",
        "!Which material is used for the {product}?",
    ], [
        "You will find the materials and care of the {product} on its page in our shop.",
    ]),
    ("product", [
        "What are the [dimensions|measurements] of the {product}?",
        "How [heavy|big|long|wide|tall] is the {product}?",
        "Which size of the {product} [should I take|do you recommend] [if I am 180 cm tall|if I wear size {size}]?",
        "Does the {product} run [small|large|true to size]?",
        "What is the [weight|height|width|length] of the {product}?",
        "Can you tell me [how heavy|how big|how long] the {product} is?",
        "!Can you tell me the weight and height of the {product}?",
    ], [
        "You will find the size table of the {product} on its page in our shop.",
    ]),
    ("product", [
        "Does the {device} work with [an iPhone|Android|Windows|a Mac|230 volts]?",
        "Is the {device} compatible with [an iPhone|my old charger|the {product}]?",
        "What is the difference between the {product} and the {other}?",
        "Which one [is better|would you recommend], the {product} or the {other}?",
        "Does the {device} support [Android|Windows|an iPad|a Mac]?",
        "Before I [buy|order] one: [does|will] the {device} work with [Android|my iPhone|Linux]?",
        "!Before I buy it: does the {device} support [Android|Windows]?",
    ], [
        "The {product} is lighter and the {other} is more robust.",
        "Yes, the {device} works with all common systems.",
    ]),
    ("product", [
        "How long is the [warranty|guarantee] [on|of] the {product}?",
        "Are there spare parts for the {product}?",
        "Is [the {product}|your {product}] [waterproof|suitable for children|safe for babies]?",
        "[Does|Will] the {product} come with [batteries|a bag|a manual|a charger]?",
        "What does the warranty [of|for] the {product} cover?",
        "Before I buy the {product}: [how long is the guarantee|is it waterproof]?",
        "!What does the guarantee of the {product} cover?",
    ], [
        "The {product} has a warranty of two years and comes with everything you need.",
    ]),
    # complaint
    ("complaint", [
        "Your [agent|employee|colleague] on the phone was [very rude|unfriendly|impolite] [to me|when I called {when}].",
        "The [woman|man|person] at your hotline [hung up on me|laughed at me|shouted at me].",
        "I was treated [badly|like a child|with no respect] by your staff.",
        "I want to complain about [an employee|the staff|the manager] in your {city} store.",
        "The behaviour of your [agent|driver|colleague] was [unacceptable|outrageous|very rude].",
        "Your staff in {city} [was rude|insulted me|ignored me], [a disgrace|outrageous].",
        "!The behaviour of your staff in {city} was a disgrace.",
    ], [
        "We apologise for the behaviour of our staff in {city} and will talk to the team.",
        "We apologise for the behaviour of our colleague and will talk to the team.",
    ]),
    ("complaint", [
        "I [waited|was on hold] for {count} hours [on your hotline|and nobody picked up].",
        "[Nobody|No one] [answers|replies to] my e-mails[| since {since}| for weeks].",
        "This is the {nth} time I [write to you|contact you] and [nobody|no one] cares.",
        "I have called {count} times and [always get a different answer|nobody helps me].",
        "Your hotline [never answers|let me wait for {count} hours], that is [unacceptable|a shame].",
        "!Your hotline kept me waiting for {count} hours, that is outrageous.",
    ], [
        "We apologise for the long wait and a manager will call you today.",
    ]),
    ("complaint", [
        "[This is|What an|Honestly,] the worst [service|customer service|shop] I have ever [seen|had].",
        "I am [very |extremely |]disappointed [with|by] your [service|company|support].",
        "Your service has become [terrible|awful|a joke], I will [never buy from you again|tell all my friends].",
        "I have been a customer for {count} years and am [shocked|appalled] at how you treat people.",
        "Such [bad|poor|terrible] service, I will never [come back|order here again].",
        "[Awful|Terrible|Horrible] company, [never again|what a shame].",
        "!Never again, such awful service is a shame for any company.",
    ], [
        "We are sorry that we disappointed you and a manager will contact you.",
    ]),
    ("complaint", [
        "The quality of the {product} is [a bad joke|a disgrace|unacceptable][|, shame on you].",
        "I am [angry|furious] about the [poor|cheap|terrible] quality of your {product}.",
        "You advertise the {product} as premium and sell [rubbish|junk|cheap trash].",
        "Your [advertising|photo] of the {product} is [misleading|a lie], I feel cheated.",
        "The {product} is [rubbish|junk], you should be ashamed to sell it.",
        "!Such rubbish as your {product} should not be sold, I feel cheated.",
    ], [
        "We are sorry about the {product} and will pass your complaint to our quality team.",
    ]),
    ("complaint", [
        "I want to make a formal complaint[| about your company| to the management].",
        "I demand to [speak to|talk to] [a manager|your boss|someone in charge] [now|today|at once].",
        "If this is not [solved|settled] by {deadline}, I will [call my lawyer|write a bad review|go to the press].",
        "I expect an apology [and compensation|from your manager][| for the trouble].",
        "I will file a [complaint|formal complaint] [with your boss|with the consumer office], give me [a name|your address].",
        "!Give me the name of your boss, I will file a formal complaint.",
    ], [
        "We apologise for the trouble and have passed your complaint to the management.",
    ]),
]

# ---------------------------------------------------------------- slot values
# Of each pair of lists, training sees only the first; held-out tickets see both.

NAMES = ("Maria Anna Peter Tom Julia Ahmed Priya Wei Elena Marco Sofia David Laura Kevin Nina Oliver "
         "Emma Lucas Hannah Yusuf Carlos Ingrid Pavel Grace Samuel Leila Victor Alice Robert Diana "
         "Jan Eva Max Lena Omar Sara Hugo Clara Ivan Mia Felix Rosa Simon Olga Bruno Helen Diego Amina Jack Ruth "
         "José Zoë Chloé Søren Björn Łukasz Renée Iñaki Ольга 美咲".split(),
         "Teresa Martin Fatima Andrew Jürgen Noémie Δήμητρα".split())
CITIES = ("Berlin|Paris|Oslo|Madrid|Vienna|Lisbon|Dublin|Prague|Rome|Boston|Toronto|Hamburg|Leeds|"
          "Chicago|Milan|Geneva|Brussels|Helsinki|Cairo|Lima|Seville|Lyon|Porto|Turin|Basel|Graz|Cork|"
          "Bergen|Naples|Austin|Perth|Quito|Nairobi|Mumbai|Osaka|Riga|Tallinn|Vilnius|Malaga|"
          "Athens|Sydney|Malmö|Zürich|Kraków|São Paulo|Göteborg|東京".split("|"),
          "Warsaw|Bristol|Köln|Denver|Århus".split("|"))
BRANDS = ("Lumo Kestrel Nova Arbor Tundra Pico Velox Sierra Orbit Maple Zephyr Delta Fjord Aria "
          "Bonsai Cobalt Élan Mistral".split(),
          "Ember Quartz Río".split())
GOODS = ("desk lamp|backpack|rain jacket|coffee mug|office chair|water bottle|sleeping bag|wool scarf|"
         "tent|suitcase|bookshelf|yoga mat|frying pan|garden hose|pillow|wallet|bike helmet|sofa|"
         "umbrella|teapot".split("|"),
         "hiking stick|knife set|blanket".split("|"))
DEVICES = ("headset|smart watch|speaker|tablet|robot vacuum|camera|router|e-reader|printer|"
           "keyboard|thermostat|drone".split("|"),
           "doorbell|projector".split("|"))
COLOURS = "black white red blue green grey yellow purple".split()
SYLLABLES = ("ba be bo da de di fa fi ga go ka ke ko la le lo ma mi mo na "
             "ne no pa pe ra re ri ro sa se so ta te to va ve vi zo").split()
SIZES = "S M L XL 36 38 40 42 44".split()
COURIERS = "SwiftPost Parcelo NordCargo QuickVan".split()
COUNTS = "two three four five six ten".split()
NTHS = "second third fourth fifth".split()
CODES = "SPRING10 WELCOME HELLO15 SUMMER20 FRIENDS VIP5 XMAS25 THANKYOU".split()
MONTHS = "January February March April May June July August September October November December".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()

# Openings and closings say nothing about the label. The empty ones are the most frequent.
OPENINGS = ["", "", "", "", "Hello, ", "Hi, ", "Hi there, ", "Good morning, ", "Hello! ", "Hi team, ",
            "Dear support team, ", "Dear Sir or Madam, ", "Hey, ", "Good evening. ", "Hi!!! ",
            "Hello 👋 ", "Please help: ", "URGENT: ", "Quick question: ", "Hi, {name} here. ",
            "My name is {name}. ", "Hello,\n\n", "I hope you are well. ", "Guten Tag, ", "Bonjour, "]
CLOSINGS = ["", "", "", "", " Thanks!", " Thank you.", " Thanks, {name}", " Best regards, {name}",
            " Kind regards, {name}", " Please help.", " Please reply soon.", " Thank you 🙏", " Cheers, {name}",
            " Many thanks in advance!", " Regards\n{name}", " Merci, {name}", " 😊", " ???", " Thx", " — {name}"]
# Sentences that speak of another category without asking for anything there.
DISTRACTIONS = [
    ("billing", ["The payment itself went fine.", "I paid {amount} by card {when}.", "The invoice was correct."]),
    ("shipping", ["The parcel came on time, thanks.", "Delivery was quick, by the way.",
                  "{courier} delivered it {when}."]),
    ("returns", ["I do not want to return anything.", "Sending it back is not what I want."]),
    ("account", ["My account works fine.", "I can log in without trouble.", "My customer e-mail is {email}."]),
    ("technical", ["Your app works well.", "The website is very nice, by the way."]),
    ("order", ["I placed the order {when}.", "I have ordered from you before.", "My last order was perfect."]),
    ("product", ["I like your products a lot.", "The {product} looks great."]),
    ("complaint", ["I am not angry, just curious.", "Your staff was very kind last time.",
                   "Otherwise I am happy with your service."]),
    (None, ["I am writing from {city}.", "I will be on holiday from {deadline}.", "It is a present for my sister.",
            "I am in a bit of a hurry.", "Sorry for my English.", "My neighbour told me about your shop."]),
]

SLOT = re.compile(r"\{(\w+)\}")


class Slots:
    """Draws slot values once per ticket, so that ticket and reply agree."""

    def __init__(self, rng, held_out):
        self.rng, self.held_out, self.values = rng, held_out, {}

    def pick(self, pools):
        known, fresh = pools
        # a third of held-out draws are values that training never shows
        return self.rng.choice(fresh if self.held_out and self.rng.random() < 0.33 else known)

    def get(self, slot):
        if slot not in self.values:
            self.values[slot] = getattr(self, slot)()
        return self.values[slot]

    def order(self):
        return self.rng.choice(["#", "#", "#", "FL-"]) + str(self.rng.randrange(1_000, 10_000))

    def amount(self):
        whole, cents = self.rng.randrange(5, 400), self.rng.choice(["00", "50", "90", "95", "99"])
        return self.rng.choice(["${}.{}", "${}.{}", "€{}.{}", "£{}.{}", "{}.{} EUR", "{},{}\u00a0€"]).format(whole, cents)

    def invented(self):
        """A made-up word: the model has to copy it, as it cannot know it."""
        word = "".join(self.rng.choice(SYLLABLES) for _ in range(self.rng.choice([2, 2, 3])))
        return word.capitalize() + self.rng.choice(["", "", "n", "s", "x", "k"])

    def name(self):
        if self.rng.random() < 0.35:
            return self.rng.choice(["Ms ", "Mr "]) + self.invented()
        return self.pick(NAMES)

    def city(self):
        return self.pick(CITIES)

    def brand(self):
        return self.invented() if self.rng.random() < 0.3 else self.pick(BRANDS)

    def product(self):
        return self.brand() + " " + self.pick(GOODS)

    def other(self):
        return self.brand() + " " + self.pick(GOODS)

    def device(self):
        return self.brand() + " " + self.pick(DEVICES)

    def article(self):
        return self.rng.choice(["another ", "one more ", "the "]) + self.get("product")

    def email(self):
        user = self.pick(NAMES).lower()
        if not user.isascii():
            user = "info"
        return f"{user}{self.rng.randrange(1, 100)}@example.{self.rng.choice(['com', 'org', 'net'])}"

    def when(self):
        return self.rng.choice([f"last {self.rng.choice(DAYS)}", f"on {self.rng.choice(DAYS)}",
                                f"on {self.rng.randrange(1, 29)} {self.rng.choice(MONTHS)}",
                                f"on {self.rng.choice(MONTHS)} {self.rng.randrange(1, 29)}",
                                "yesterday", "two weeks ago", "last month"])

    def day(self):
        return self.rng.choice([self.rng.choice(DAYS), f"{self.rng.randrange(1, 29)} {self.rng.choice(MONTHS)}",
                                f"{self.rng.choice(MONTHS)} {self.rng.randrange(1, 29)}"])

    def since(self):
        return self.rng.choice([self.day(), self.day(), "last week", "yesterday", "last month"])

    def deadline(self):
        return self.rng.choice([self.day(), self.day(), "tomorrow", "next week"])

    def future(self):
        return self.rng.choice([f"on {self.day()}", "tomorrow", "next week"])

    def flaw(self):
        return self.rng.choice(["small", "big", "heavy", "bright", "loud", "dark"])

    def colour(self):
        return self.rng.choice(COLOURS)

    def size(self):
        return self.rng.choice(SIZES)

    def courier(self):
        return self.rng.choice(COURIERS)

    def count(self):
        return self.rng.choice(COUNTS)

    def nth(self):
        return self.rng.choice(NTHS)

    def code(self):
        return self.rng.choice(CODES)

    def error(self):
        return self.rng.choice(["", "E-"]) + str(self.rng.randrange(100, 1000))


def pieces(template, rng, slots):
    """The template as (text, is_slot) pairs: slot values are exempt from typos and changes of case."""
    template = re.sub(r"\[([^\]]*)\]", lambda m: rng.choice(m.group(1).split("|")), template)
    parts = SLOT.split(template)  # text, slot, text, slot, ..., text
    return [(slots.get(part), True) if i % 2 else (part, False) for i, part in enumerate(parts) if part]


def typo(text, rng):
    """Swaps, drops or doubles one letter inside one longer word."""
    words = [m for m in re.finditer(r"[a-z]{4,}", text)]
    if not words:
        return text
    word = rng.choice(words)
    i = rng.randrange(word.start() + 1, word.end() - 1)
    return rng.choice([text[:i] + text[i + 1] + text[i] + text[i + 2:],
                       text[:i] + text[i + 1:],
                       text[:i] + text[i] + text[i:]])


CONTRACTIONS = [("I am ", "I'm "), ("I have ", "I've "), ("I will ", "I'll "), ("cannot", "can't"),
                ("does not", "doesn't"), ("do not", "don't"), ("It is ", "It's "), ("is not", "isn't"),
                ("I would ", "I'd "), ("has not", "hasn't"), ("was not", "wasn't"), ("There is ", "There's ")]


def restyle(parts, rng):
    """Contractions, sloppy case, typos and odd white space, as customers write."""
    def change(function):
        return [(text if is_slot else function(text), is_slot) for text, is_slot in parts]

    if rng.random() < 0.5:
        mark = rng.choice(["'", "'", "’"])
        for long, short in CONTRACTIONS:
            parts = change(lambda t: t.replace(long, short.replace("'", mark)))
    style = rng.random()
    if style < 0.12:
        parts = change(str.lower)
    elif style < 0.16:
        parts = change(str.upper)
    for _ in range(rng.choice([0, 0, 0, 0, 1, 2])):
        i = rng.randrange(len(parts))
        parts = [(typo(t, rng) if j == i and not s else t, s) for j, (t, s) in enumerate(parts)]
    space = rng.random()
    if space < 0.05:
        parts = change(lambda t: t.replace(". ", ".  ").replace("? ", "?   "))
    elif space < 0.08:
        parts = change(lambda t: t.replace("! ", "!\n").replace(". ", ".\n"))
    elif space < 0.12:
        parts = change(lambda t: t.replace("!", "!!!").replace("?", rng.choice(["??", " ?", "?!"])))
    return "".join(text for text, _ in parts)


def withheld(intent, phrasing, opening, closing):
    """A fifth of all combinations is kept out of training (crc32: the same on every machine)."""
    return zlib.crc32(f"{intent}/{phrasing}/{opening}/{closing}".encode()) % 5 == 0


def ticket(rng, held_out):
    """One ticket: dict with text, label, reply, all fitting replies, and whether the phrasing is unseen."""
    while True:
        label = rng.choice(LABELS)
        intent = rng.choice([i for i, entry in enumerate(INTENTS) if entry[0] == label])
        _, phrasings, replies = INTENTS[intent]
        unseen = held_out and rng.random() < 0.12
        phrasing = rng.choice([i for i, p in enumerate(phrasings) if p.startswith("!") == unseen])
        opening, closing = rng.randrange(len(OPENINGS)), rng.randrange(len(CLOSINGS))
        if "{name}" in OPENINGS[opening] and "{name}" in CLOSINGS[closing]:
            continue
        if withheld(intent, phrasing, OPENINGS[opening], CLOSINGS[closing]) == held_out:
            break
    slots = Slots(rng, held_out)
    body = pieces(phrasings[phrasing].lstrip("!"), rng, slots)
    core = set(slots.values)
    if "article" in core:
        core.add("product")
    if rng.random() < 0.4:
        # The distraction has slots of its own: the reply answers the core only.
        about, sentences = rng.choice(DISTRACTIONS)
        if about != label:
            aside = pieces(rng.choice(sentences), rng, Slots(rng, held_out))
            body = aside + [(" ", False)] + body if rng.random() < 0.5 else body + [(" ", False)] + aside
    parts = pieces(OPENINGS[opening], rng, slots) + body + pieces(CLOSINGS[closing], rng, slots)
    text = restyle(parts, rng)

    fitting = [r for r in replies if set(SLOT.findall(r)) <= core]
    most = max(len(SLOT.findall(r)) for r in fitting)
    best = [r for r in fitting if len(SLOT.findall(r)) == most]
    # The phrasing decides among equals, so that the best reply is no matter of luck.
    chosen = best[phrasing % len(best)]

    def render(reply):
        reply = SLOT.sub(lambda m: slots.values[m.group(1)], reply)
        if "name" in slots.values:
            reply = f"Dear {slots.values['name']}, {reply[0].lower()}{reply[1:]}"
        return reply

    return {"text": text, "label": label, "reply": render(chosen), "unseen": unseen,
            "fitting": [render(r) for r in fitting]}


def prompt(text):
    return f"Ticket: {text}\nCategory:"


def completion(entry):
    return f" {entry['label']}\nReply: {entry['reply']}"


def training_set(seed=1, size=TRAIN_SIZE):
    rng = random.Random(seed)
    return [ticket(rng, held_out=False) for _ in range(size)]


def held_out_set(training, seed=2, size=HELD_OUT_SIZE):
    rng = random.Random(seed)
    seen = {entry["text"] for entry in training}
    entries = []
    while len(entries) < size:
        entry = ticket(rng, held_out=True)
        if entry["text"] not in seen:  # neither in training nor twice in the held-out set
            seen.add(entry["text"])
            entries.append(entry)
    assert not {e["text"] for e in entries} & {e["text"] for e in training}
    return entries


def held_out_line(number, entry):
    return json.dumps({"id": f"ticket-{number:04d}", "prompt": prompt(entry["text"]), "max_tokens": 48,
                       "temperature": 0, "metadata": {"label": entry["label"]}}, ensure_ascii=False)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    training = training_set()
    held_out = held_out_set(training)
    if len(sys.argv) > 1:
        os.makedirs(sys.argv[1], exist_ok=True)
        with open(os.path.join(sys.argv[1], "train.txt"), "w", encoding="utf-8", newline="\n") as out:
            for entry in training:
                out.write(prompt(entry["text"]) + completion(entry) + END + "\n")
    with open(os.path.join(here, "held-out.jsonl"), "w", encoding="utf-8", newline="\n") as out:
        for number, entry in enumerate(held_out, 1):
            out.write(held_out_line(number, entry) + "\n")
    print(f"{len(training)} training tickets ({len({e['text'] for e in training})} different), "
          f"{len(held_out)} held out, {sum(e['unseen'] for e in held_out)} of them with an unseen phrasing")


if __name__ == "__main__":
    main()
