<?php

declare(strict_types=1);

// The invoice page, as plain as it can be, in the shape of WHMCS's own: the payment button stands in
// the right half of its head.

require_once __DIR__ . '/init.php';
require_once __DIR__ . '/includes/gatewayfunctions.php';
require_once __DIR__ . '/includes/invoicefunctions.php';

use WHMCS\Database\Capsule;

$invoice = Capsule::table('tblinvoices')->where('id', (int) ($_GET['id'] ?? 0))->first();
if ($invoice === null || (int) ($_SESSION['uid'] ?? 0) !== (int) $invoice->userid) {
    http_response_code(403);
    exit('not your invoice');
}
$indonesian = ($_SESSION['Language'] ?? '') === 'indonesian';
standin_gateway($invoice->paymentmethod);
$button = $invoice->status === 'Unpaid' ? ($invoice->paymentmethod . '_link')(standin_params((int) $invoice->id, $invoice->paymentmethod)) : '';
$status = $indonesian ? ['Unpaid' => 'Belum dibayar', 'Paid' => 'Lunas'][$invoice->status] ?? $invoice->status : $invoice->status;
$rows = Capsule::table('tblinvoiceitems')->where('invoiceid', $invoice->id)->get();
$payments = Capsule::table('tblaccounts')->where('invoiceid', $invoice->id)->get();
$money = static fn(mixed $amount) => 'Rp' . number_format((float) $amount, 0, ',', '.');
?>
<!doctype html>
<html lang="<?= $indonesian ? 'id' : 'en' ?>">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Toko Contoh - Invoice #<?= $invoice->id ?></title>
<style>
body { margin: 0; padding: 1.5rem 1rem; background: #eff1f4; color: #333; font: 15px/1.5 "Open Sans", Verdana, Tahoma, sans-serif; }
main { max-width: 54rem; margin: 0 auto; padding: 2rem; border-radius: 6px; background: #fff; box-shadow: 0 1px 4px #0002; }
.head { display: grid; grid-template-columns: 1fr 1fr; gap: 1.5rem; align-items: start; }
.status { margin-bottom: 1rem; font-size: 1.5rem; font-weight: 700; text-align: center; text-transform: uppercase; }
.Unpaid { color: #c00; } .Paid { color: #779500; }
table { width: 100%; border-collapse: collapse; margin-top: 1rem; } td { padding: .4rem; border-top: 1px solid #ddd; } td:last-child { text-align: right; white-space: nowrap; } td { overflow-wrap: anywhere; }
button { border-radius: 0; text-transform: none; }
@media (max-width: 40rem) { body { padding: 0; } main { padding: 1rem; border-radius: 0; } .head { grid-template-columns: 1fr; } }
</style>
</head>
<body>
<main>
<div class="head">
<div><h2>Toko Contoh</h2><h3>Invoice #<?= $invoice->id ?></h3></div>
<div>
<div class="status <?= $invoice->status ?>" id="status" data-status="<?= $invoice->status ?>"><?= $status ?></div>
<?= $button ?>

</div>
</div>
<table>
<?php foreach ($rows as $row) { ?><tr><td><?= htmlspecialchars($row->description) ?></td><td><?= $money($row->amount) ?></td></tr><?php } ?>
<tr><td><strong>Total</strong></td><td><strong><?= $money($invoice->total) ?></strong></td></tr>
</table>
<?php if (count($payments) > 0) { ?><table>
<?php foreach ($payments as $payment) { ?><tr><td><?= $payment->date ?></td><td><?= htmlspecialchars($payment->gateway) ?></td><td><?= htmlspecialchars($payment->transid) ?></td><td><?= $money($payment->amountin - $payment->amountout) ?></td></tr><?php } ?>
</table><?php } ?>
</main>
</body>
</html>
