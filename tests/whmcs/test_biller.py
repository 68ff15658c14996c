"""A prepaid product, bought through the biller when its order is paid."""

from concurrent.futures import ThreadPoolExecutor

from world import Case


class Biller(Case):
    def service(self, product="s5", destination="0812-0000-0001", field="Nomor tujuan"):
        """A new order's service, waiting to be created."""
        sql = f"INSERT INTO tblproducts (name, servertype, configoption1, configoption2, configoption3) VALUES ('Pulsa', 'bayarbiller', '{product}', '{field}', '')"
        product = self.insert(sql, "tblproducts")
        service = self.insert(f"INSERT INTO tblhosting (userid, packageid, domainstatus) VALUES (1, {product}, 'Pending')", "tblhosting")
        custom = self.insert(f"INSERT INTO tblcustomfields (type, relid, fieldname) VALUES ('product', {product}, 'Nomor tujuan')", "tblcustomfields")
        self.insert(f"INSERT INTO tblcustomfieldsvalues (fieldid, relid, value) VALUES ({custom}, {service}, '{destination}')", "tblcustomfieldsvalues")
        return service

    def insert(self, sql, table):
        self.shop.sql(sql)
        return int(self.shop.one(f"SELECT MAX(id) AS id FROM {table}")["id"])

    def create(self, service):
        return self.shop.drive("standin_create", service)

    def state(self, service):
        return self.shop.one(f"SELECT domainstatus FROM tblhosting WHERE id = {service}")["domainstatus"]

    def client_sees(self, service):
        self.addCleanup(self.shop.browser.get, f"{self.shop.server.url}/sign_in.php")
        self.shop.browser.get(f"{self.shop.server.url}/sign_in.php?client=1")
        return self.shop.browser.get(f"{self.shop.server.url}/clientarea.php?id={service}").text

    def test_from_the_order_to_the_serial_number(self):
        service = self.service()
        self.assertEqual(self.create(service), "success")
        self.assertEqual(self.state(service), "Active")
        self.assertIn("Being delivered", self.client_sees(service))
        done = self.sandbox.act(f"INV-S{service}-1X", provider="biller")
        self.assertEqual(done["deliveries"][0]["attempts"][-1]["status"], 200)
        serial = self.shop.one(f"SELECT serial FROM mod_bayar_purchases WHERE serviceid = {service}")["serial"]
        self.assertTrue(serial)
        page = self.client_sees(service)
        self.assertIn(serial, page)
        self.assertIn("Delivered", page)
        self.assertIn("081200000001", page)
        # The order is created once more by mistake: nothing is bought, and the serial number stays.
        self.assertEqual(self.create(service), "success")
        self.assertEqual(self.sandbox.get(f"biller/INV-S{service}-1X")["executed"], {"purchase": 1})
        self.assertIn(serial, self.client_sees(service))

    def test_a_repeated_callback_changes_nothing(self):
        service = self.service()
        self.create(service)
        self.sandbox.act(f"INV-S{service}-1X", provider="biller")
        before = self.shop.one(f"SELECT * FROM mod_bayar_purchases WHERE serviceid = {service}")
        self.assertEqual(self.shop.deliver(self.sandbox.callback(f"INV-S{service}-1X", provider="biller")), 200)
        self.assertEqual(self.shop.one(f"SELECT * FROM mod_bayar_purchases WHERE serviceid = {service}"), before)

    def test_a_callback_without_its_token_is_refused(self):
        service = self.service()
        self.create(service)
        with self.shop.unreachable():
            self.sandbox.act(f"INV-S{service}-1X", provider="biller")
        callback = self.sandbox.callback(f"INV-S{service}-1X", provider="biller")
        forged = {**callback, "urls": [callback["urls"][0].replace("biller-callback-token-EXAMPLE", "guessed")]}
        self.assertEqual(self.shop.deliver(forged), 401)
        self.assertIn("Being delivered", self.client_sees(service))
        self.assertEqual(self.shop.deliver(callback), 200)
        self.assertIn("Delivered", self.client_sees(service))

    def test_a_failure_goes_back_to_the_shops_people_who_may_buy_again(self):
        service = self.service()
        self.assertEqual(self.create(service), "success")
        self.sandbox.act(f"INV-S{service}-1X", "failed", provider="biller")
        self.assertEqual(self.state(service), "Pending")
        self.assertEqual(len(self.shop.reminders(f"Purchase INV-S{service}-1X failed")), 1)
        self.assertIn("Not delivered", self.client_sees(service))
        self.assertEqual(self.create(service), "success")
        self.sandbox.act(f"INV-S{service}-2X", provider="biller")
        self.assertEqual(self.state(service), "Active")
        self.assertIn("Delivered", self.client_sees(service))

    def test_a_refusal_says_why(self):
        service = self.service(product="s1")
        answer = self.create(service)
        self.assertTrue(answer.startswith("Not bought: "), answer)
        self.assertEqual(self.state(service), "Pending")
        fields = self.shop.drive("bayarbiller_AdminServicesTabFields", {"serviceid": service})
        self.assertEqual(fields["State"], "failed")

    def test_a_lost_answer_is_not_bought_again(self):
        service = self.service()
        self.sandbox.ask("POST", "faults", {"fault": "reset", "when": "after", "provider": "biller"})
        for _ in range(2):
            self.assertIn("is not known", self.create(service))
        self.assertEqual(self.state(service), "Pending")
        self.assertEqual(self.sandbox.get(f"biller/INV-S{service}-1X")["executed"], {"purchase": 1})
        self.sandbox.act(f"INV-S{service}-1X", provider="biller")
        self.assertEqual(self.state(service), "Active")
        self.assertIn("Delivered", self.client_sees(service))

    def test_created_twice_at_the_same_moment(self):
        service = self.service()
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: self.create(service), range(4)))
        self.assertEqual(self.sandbox.get(f"biller/INV-S{service}-1X")["executed"], {"purchase": 1})
        self.assertEqual(len(self.shop.sql(f"SELECT id FROM mod_bayar_purchases WHERE serviceid = {service}")), 1)

    def test_a_product_that_is_not_set_up(self):
        self.assertEqual(self.create(self.service(product="")), "The product has no product code.")
        self.assertIn("'HP' of the service is empty", self.create(self.service(field="HP")))
        self.assertIn("is empty", self.create(self.service(destination="")))

    def test_cron_finds_what_could_not_be_entered(self):
        service = self.service()
        self.create(service)
        self.shop.sql("RENAME TABLE tblhosting TO hidden")
        try:
            done = self.sandbox.act(f"INV-S{service}-1X", provider="biller")
        finally:
            self.shop.sql("RENAME TABLE hidden TO tblhosting")
        self.assertEqual(done["deliveries"][0]["attempts"][-1]["status"], 503)
        self.assertIn("Being delivered", self.client_sees(service))
        self.shop.cron()
        self.assertIn("Delivered", self.client_sees(service))
