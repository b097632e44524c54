/*
 * pay -- the payment service, simulated: what it answers depends on the card
 * number alone, so that every outcome can be shown and tested.
 *
 * 4000 0000 0000 0002 is declined, 4000 0000 0000 0259 gives no answer in
 * time, any other of 16 digits that passes the Luhn check is approved.  It
 * never sees the database; a real service would be called from here.
 */
#ifndef SEOGA_PAY_H
#define SEOGA_PAY_H

#include "req.h"

enum pay_result { PAY_APPROVED, PAY_DECLINED, PAY_TIMEOUT };

/* Digits, with spaces or hyphens between them: is it a card number? */
bool pay_card_is_valid(const char *card);

/* Charges amount (minor units) for what reference names: the same reference
 * is never charged twice. */
enum pay_result pay_charge(
    struct req *req, const char *card, const char *reference, int64_t amount);
/* Gives back what was charged for it, if that is not given back yet. */
void pay_refund(struct req *req, const char *reference, int64_t amount);

#endif
