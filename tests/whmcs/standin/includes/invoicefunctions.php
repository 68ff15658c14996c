<?php

declare(strict_types=1);

use WHMCS\Database\Capsule;

function addInvoicePayment($invoice, $transaction, $amount, $fees, $gateway, $noEmail = false, $date = ''): bool
{
    $found = Capsule::table('tblinvoices')->where('id', $invoice)->first();
    if ($found === null) {
        return false;
    }
    $due = standin_balance($found);
    if ((float) $amount == 0) {
        $amount = $due;
    }
    standin_fault('before');
    Capsule::table('tblaccounts')->insert([
        'userid' => $found->userid, 'currency' => 0, 'gateway' => $gateway, 'date' => date('Y-m-d H:i:s'), 'description' => 'Invoice Payment',
        'amountin' => $amount, 'fees' => $fees, 'transid' => $transaction, 'invoiceid' => $invoice,
    ]);
    standin_fault('after');
    run_hook('AddInvoicePayment', ['invoiceid' => $invoice]);
    if ($amount > $due) {
        $excess = $amount - max($due, 0);
        Capsule::table('tblclients')->where('id', $found->userid)->increment('credit', $excess);
        Capsule::table('tblcredit')->insert(['clientid' => $found->userid, 'date' => date('Y-m-d'), 'description' => "Invoice #$invoice Overpayment", 'amount' => $excess]);
    }
    if ($amount >= $due && $found->status !== 'Paid') {
        Capsule::table('tblinvoices')->where('id', $invoice)->update(['status' => 'Paid', 'datepaid' => date('Y-m-d H:i:s')]);
        run_hook('InvoicePaid', ['invoiceid' => $invoice]);
    }
    return true;
}

/** @throws Exception as developers.whmcs.com lists them */
function paymentReversed(string $reversal, string $original): void
{
    $found = Capsule::table('tblaccounts')->where('transid', $original)->get();
    if (count($found) !== 1) {
        throw new Exception(count($found) === 0 ? 'Original Transaction Not Found' : 'Multiple Original Transaction ID matches found');
    }
    $payment = $found[0];
    $again = Capsule::table('tblaccounts')->where('transid', $reversal)->orWhere('refundid', $payment->id)->exists();
    if ($again) {
        throw new Exception('Transaction Already Reversed');
    }
    Capsule::table('tblaccounts')->insert([
        'userid' => $payment->userid, 'currency' => 0, 'gateway' => $payment->gateway, 'date' => date('Y-m-d H:i:s'), 'description' => 'Reversed Transaction ID: ' . $original,
        'amountout' => $payment->amountin, 'transid' => $reversal, 'invoiceid' => $payment->invoiceid, 'refundid' => $payment->id,
    ]);
    Capsule::table('tblinvoices')->where('id', $payment->invoiceid)->update(['status' => 'Collections']);
}

/** An admin's refund through the gateway. */
function standin_refund(string $transaction, string $amount): array
{
    $payment = Capsule::table('tblaccounts')->where('transid', $transaction)->first();
    standin_gateway($payment->gateway);
    $params = ['transid' => $transaction, 'amount' => $amount] + standin_params((int) $payment->invoiceid, $payment->gateway);
    if (!empty($params['convertto'])) {
        $rates = Capsule::table('tblcurrencies')->pluck('rate', 'code');
        $params['amount'] = number_format((float) $amount * (float) $rates['IDR'] / (float) $rates['USD'], 2, '.', '');
    }
    $answer = ($payment->gateway . '_refund')($params);
    if ($answer['status'] === 'success') {
        Capsule::table('tblaccounts')->insert([
            'userid' => $payment->userid, 'currency' => 0, 'gateway' => $payment->gateway, 'date' => date('Y-m-d H:i:s'), 'description' => 'Refund of Transaction ID ' . $transaction,
            'amountout' => $amount, 'transid' => $answer['transid'], 'invoiceid' => $payment->invoiceid, 'refundid' => $payment->id,
        ]);
    }
    return $answer;
}

/** Stops or dies here, if a test asks for it. */
function standin_fault(string $point): void
{
    $act = Capsule::table('faults')->where('point', $point)->value('act');
    if ($act !== null && Capsule::table('faults')->where('point', $point)->delete() === 1) {
        match ($act) {
            'kill' => posix_kill(getmypid(), SIGKILL),
            'stop' => posix_kill(getmypid(), SIGSTOP),
            'throw' => throw new RuntimeException('a hook of another module failed'),
            'exit' => exit('a hook of another module ended the program'),
        };
    }
}
